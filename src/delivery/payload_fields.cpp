#include "delivery/payload_fields.h"

#include "base/base64_lines.h"
#include "base/json.h"
#include "base/strings.h"

namespace posthaste::delivery {

namespace {

class JsonFields final : public PayloadFields {
 public:
  JsonFields() { json_.begin_object(); }

  void text(std::string_view name, const std::optional<std::string>& value) override { json_.field(name, value); }

  void literal(std::string_view name, const std::optional<std::string>& value) override {
    json_.key(name).raw(value ? std::string_view(*value) : "null");
  }

  void list_of_one(std::string_view name, const std::optional<std::string>& value) override {
    json_.key(name).begin_array().value(value).end_array();
  }

  // The alphabet needs no escapes; only the line ends do.
  void base64(std::string_view name, std::string_view bytes) override {
    json_.key(name).raw("\"" + base64_in_short_lines(bytes, "\\n") + "\"");
  }

  void files(std::string_view name, const std::vector<mail::AttachedFile>& files) override {
    json_.key(name).begin_array();
    for (const auto& file : files) {
      json_.begin_object().field("filename", file.name).field("content_type", file.content_type);
      json_.field("size", file.bytes.size());
      base64("data", file.bytes);
      json_.end_object();
    }
    json_.end_array();
  }

  std::string take() override { return json_.end_object().take(); }

 private:
  JsonWriter json_{true};
};

// application/x-www-form-urlencoded as browsers and Ruby write it.
class FormFields final : public PayloadFields {
 public:
  void text(std::string_view name, const std::optional<std::string>& value) override {
    begin(name);
    if (!value) return;
    out_ += '=';
    encode(*value);
  }

  void literal(std::string_view name, const std::optional<std::string>& value) override { text(name, value); }
  void list_of_one(std::string_view name, const std::optional<std::string>& value) override { text(name, value); }

  void base64(std::string_view name, std::string_view bytes) override { text(name, base64_in_short_lines(bytes)); }

  void files(std::string_view name, const std::vector<mail::AttachedFile>& files) override {
    for (std::size_t i = 0; i < files.size(); ++i) {
      const auto key = [&](std::string_view part) { return fmt::format("{}[{}][{}]", name, i, part); };
      text(key("filename"), files[i].name);
      text(key("content_type"), files[i].full_content_type);
      text(key("size"), std::to_string(files[i].bytes.size()));
      base64(key("data"), files[i].bytes);
    }
  }

  std::string take() override { return std::move(out_); }

 private:
  void begin(std::string_view name) {
    if (!out_.empty()) out_ += '&';
    encode(name);
  }

  static bool unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '*' || c == '-' ||
           c == '.' || c == '_';
  }

  void encode(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : text) {
      if (unreserved(c)) {
        out_ += c;
      } else if (c == ' ') {
        out_ += '+';
      } else {
        const auto byte = static_cast<unsigned char>(c);
        out_ += '%';
        out_ += kHex[byte >> 4];
        out_ += kHex[byte & 15];
      }
    }
  }

  std::string out_;
};

}  // namespace

std::unique_ptr<PayloadFields> json_fields() { return std::make_unique<JsonFields>(); }
std::unique_ptr<PayloadFields> form_fields() { return std::make_unique<FormFields>(); }

}  // namespace posthaste::delivery
