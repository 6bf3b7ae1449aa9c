#include "api/v1/json_value.h"

#include <nlohmann/json.hpp>

#include "api/v1/text.h"
#include "base/strings.h"

namespace posthaste::api::v1 {

namespace {

const Json kNull;

// Receives what the parser finds; `open_` is the way from the root to the list or object that is being filled.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(std::int64_t value) override { return add(Json(value)); }
  bool number_unsigned(std::uint64_t value) override {
    return value <= INT64_MAX ? add(Json(static_cast<std::int64_t>(value))) : add(Json(static_cast<double>(value)));
  }
  bool number_float(double value, const std::string&) override { return add(Json(value)); }
  bool string(std::string& value) override { return add(Json(std::move(value))); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json(Json::Object())); }
  bool start_array(std::size_t) override { return open(Json(Json::Array())); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    failed_at = position;
    return false;
  }

  Json root;
  std::size_t failed_at = 0;
  bool too_deep = false;

 private:
  Json* place(Json value) {
    if (open_.empty()) return &(root = std::move(value));
    if (auto* list = open_.back()->array()) return &list->emplace_back(std::move(value));
    return &open_.back()->object()->emplace_back(std::move(key_), std::move(value)).second;
  }
  bool add(Json value) { return place(std::move(value)) != nullptr; }
  bool open(Json value) {
    too_deep = open_.size() >= kMaxJsonDepth;
    if (too_deep) return false;
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  // Pointers stay valid: a container grows only while it is the innermost open one.
  std::vector<Json*> open_;
  std::string key_;
};

std::string where(std::string_view text, std::size_t position) {
  const auto before = text.substr(0, std::min(position, text.size()));
  const auto line = 1 + std::ranges::count(before, '\n');
  const auto last_break = before.rfind('\n');
  const auto column = last_break == std::string_view::npos ? before.size() : before.size() - last_break - 1;
  return fmt::format("line {}, column {}", line, column);
}

}  // namespace

const Json& Json::operator[](std::string_view name) const {
  if (const auto* members = object())
    for (auto member = members->rbegin(); member != members->rend(); ++member)
      if (member->first == name) return member->second;
  return kNull;
}

bool Json::has(std::string_view name) const {
  const auto* members = object();
  return members && std::ranges::any_of(*members, [&](const auto& member) { return member.first == name; });
}

bool Json::blank() const {
  if (is_null()) return true;
  if (const auto* flag = boolean()) return !*flag;
  if (const auto* words = text()) return is_unicode_blank(*words);
  if (const auto* items = array()) return items->empty();
  if (const auto* members = object()) return members->empty();
  return false;
}

std::optional<std::string> Json::as_text() const {
  if (is_null()) return "";
  if (const auto* words = text()) return *words;
  if (const auto* flag = boolean()) return *flag ? "true" : "false";
  if (const auto* number = integer()) return std::to_string(*number);
  if (const auto* number = real()) return fmt::format("{}", *number);
  return std::nullopt;
}

void drop_nulls_in_lists(Json& value) {
  if (auto* items = value.array()) {
    std::erase_if(*items, [](const Json& item) { return item.is_null(); });
    for (auto& item : *items) drop_nulls_in_lists(item);
  }
  if (auto* members = value.object())
    for (auto& member : *members) drop_nulls_in_lists(member.second);
}

std::expected<Json, std::string> parse_json(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) return std::unexpected(where(text, 0));
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder))
    return std::unexpected(builder.too_deep ? "nested too deep" : where(text, builder.failed_at));
  return std::move(builder.root);
}

}  // namespace posthaste::api::v1
