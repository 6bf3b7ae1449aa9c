// What a call comes to: one of the three statuses with its data (http-api.md section 4).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "io/http.h"

namespace posthaste::api::v1 {

struct Answer {
  std::string status;        // success, error, parameter-error
  std::string data;          // JSON
  std::string flags = "{}";  // JSON
  int http = 200;
  io::HttpHeaders headers;
  std::string code;       // of an error
  io::HttpHeaders notes;  // for the request's line in the log
};

// Field to what is wrong with it, in the order found.
using Complaints = std::vector<std::pair<std::string, std::vector<std::string>>>;
void complain(Complaints& complaints, std::string_view field, std::string what);

Answer success(std::string data);
Answer parameter_error(std::string_view message, int http = 200);
Answer missing_parameter(std::string_view name);  // "`id` parameter is required but is missing"
Answer invalid_parameter(std::string_view name);
// `message` may be empty: only the code then.
Answer error(std::string_view code, std::string_view message, int http = 200);
Answer error(std::string_view code, JsonWriter fields);  // an object that is open; the code comes last
Answer validation_error(const Complaints& complaints);
Answer unavailable();  // nothing was stored; try again
Answer too_many_requests(int seconds);

JsonWriter writer();  // with this API's escapes
io::HttpResponse to_response(const Answer& answer, Duration took);

// Seconds since the epoch with all microseconds that there are, at least one decimal: `1700000000.123456`.
std::string unix_seconds(Time time);

}  // namespace posthaste::api::v1
