// The parameter `headers` of send/message (http-api.md section 6): which names pass, and where their fields stand.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/v1/answer.h"
#include "api/v1/json_value.h"

namespace posthaste::api::v1 {

class CustomHeaders {
 public:
  // `headers` may be null. With underscores kept in `modern` only.
  CustomHeaders(const Json* headers, bool modern, Complaints& complaints);

  // The last value of that name, taken out; nothing if there is none.
  std::optional<std::string> take(std::string_view name);
  // All fields whose name begins so, taken out, as finished lines.
  std::string take_all(std::string_view prefix);
  // What is left, in the order given.
  std::string rest() const;

  const std::vector<std::string>& dropped() const { return dropped_; }

 private:
  void add(const std::string& name, const Json& value, Complaints& complaints);

  std::vector<std::pair<std::string, std::string>> fields_;
  std::vector<std::string> dropped_;  // names that a client may not set
};

}  // namespace posthaste::api::v1
