// Names and values of a payload, one behind the other, written as JSON or as a form. The writers know the encoding and
// nothing of messages.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/content.h"

namespace posthaste::delivery {

class PayloadFields {
 public:
  virtual ~PayloadFields() = default;

  virtual void text(std::string_view name, const std::optional<std::string>& value) = 0;
  // A number, `true` or `false`; null without a value.
  virtual void literal(std::string_view name, const std::optional<std::string>& value) = 0;
  // A list with one item, which may be null.
  virtual void list_of_one(std::string_view name, const std::optional<std::string>& value) = 0;
  // In lines of 60 characters.
  virtual void base64(std::string_view name, std::string_view bytes) = 0;
  virtual void files(std::string_view name, const std::vector<mail::AttachedFile>& files) = 0;

  virtual std::string take() = 0;
};

std::unique_ptr<PayloadFields> json_fields();
std::unique_ptr<PayloadFields> form_fields();

}  // namespace posthaste::delivery
