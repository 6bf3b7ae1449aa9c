#include "config/setting.h"

#include <regex>

#include "base/network.h"
#include "base/strings.h"

namespace posthaste::config {

namespace {

// Applies to the text, or to each item of a list.
std::string check_items(const Value& value, const std::function<std::string(const std::string&)>& check) {
  if (const auto* one = std::get_if<std::string>(&value)) return check(*one);
  if (const auto* many = std::get_if<std::vector<std::string>>(&value))
    for (const auto& item : *many)
      if (auto wrong = check(item); !wrong.empty()) return wrong;
  return {};
}

Setting::Check among(std::initializer_list<std::string_view> words) {
  std::vector<std::string> known(words.begin(), words.end());
  return [known](const Value& value) {
    return check_items(value, [&](const std::string& item) -> std::string {
      if (std::find(known.begin(), known.end(), item) != known.end()) return {};
      return fmt::format("must be one of {}, is \"{}\"", join(known, ", "), item);
    });
  };
}

Setting make(std::string key, Type type, Value fallback, std::string help) {
  Setting setting;
  setting.key = std::move(key);
  setting.type = type;
  setting.fallback = std::move(fallback);
  setting.text = std::move(help);
  return setting;
}

}  // namespace

std::string to_text(const Value& value) {
  struct Writer {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(const std::vector<std::string>& items) const { return join(items, ", "); }
  };
  return std::visit(Writer{}, value);
}

std::string Setting::variable() const { return to_upper(replace_all(key, ".", "_")); }

const Value& Setting::default_for(Profile profile) const {
  return profile == Profile::Modern && modern_fallback ? *modern_fallback : fallback;
}

Setting&& Setting::v1(std::string path) && { return v1_path = std::move(path), std::move(*this); }
Setting&& Setting::v1_same() && { return v1_path = key, std::move(*this); }
Setting&& Setting::modern(Value value) && { return modern_fallback = std::move(value), std::move(*this); }
Setting&& Setting::derives(std::string from) && { return derived = std::move(from), std::move(*this); }
Setting&& Setting::secret() && { return is_secret = true, std::move(*this); }
Setting&& Setting::optional() && { return is_optional = true, std::move(*this); }
Setting&& Setting::path() && { return is_path = true, std::move(*this); }
Setting&& Setting::ours() && { return is_ours = true, std::move(*this).v1_same(); }
Setting&& Setting::used() && { return is_used = true, std::move(*this); }
Setting&& Setting::not_yet() && { return is_pending = true, std::move(*this); }
Setting&& Setting::ignored() && { return is_ignored = true, std::move(*this); }
Setting&& Setting::checked(Check check) && { return error = std::move(check), std::move(*this); }
Setting&& Setting::stored(Store to) && { return store = std::move(to), std::move(*this); }

Setting&& Setting::port() && {
  return std::move(*this).checked([](const Value& value) -> std::string {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (!number || (*number >= 1 && *number <= 65535)) return {};
    return fmt::format("must be a port from 1 to 65535, is {}", *number);
  });
}

Setting&& Setting::at_least(std::int64_t lowest) && {
  return std::move(*this).checked([lowest](const Value& value) -> std::string {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (!number || *number >= lowest) return {};
    return fmt::format("must be at least {}, is {}", lowest, *number);
  });
}

Setting&& Setting::one_of(std::initializer_list<std::string_view> words) && {
  return std::move(*this).checked(among(words));
}

Setting&& Setting::expected(std::initializer_list<std::string_view> words) && {
  return doubt = among(words), std::move(*this);
}

Setting&& Setting::networks() && {
  return std::move(*this).checked([](const Value& value) {
    return check_items(value, [](const std::string& item) -> std::string {
      if (IpNetwork::parse(item)) return {};
      return fmt::format("\"{}\" is neither an IP address nor a network (CIDR)", item);
    });
  });
}

Setting&& Setting::url() && {
  return std::move(*this).checked([](const Value& value) {
    return check_items(value, [](const std::string& item) -> std::string {
      static const std::regex form(R"(https?://[^/\s]+(/\S*)?)", std::regex::icase);
      if (std::regex_match(item, form)) return {};
      return fmt::format("must be an http:// or https:// URL, is \"{}\"", item);
    });
  });
}

Setting text(std::string key, std::string fallback, std::string help) {
  return make(std::move(key), Type::Text, std::move(fallback), std::move(help));
}
Setting text(std::string key, std::nullptr_t, std::string help) {
  return make(std::move(key), Type::Text, {}, std::move(help)).optional();
}
Setting integer(std::string key, std::int64_t fallback, std::string help) {
  return make(std::move(key), Type::Integer, fallback, std::move(help));
}
Setting boolean(std::string key, bool fallback, std::string help) {
  return make(std::move(key), Type::Boolean, fallback, std::move(help));
}
Setting real(std::string key, double fallback, std::string help) {
  return make(std::move(key), Type::Real, fallback, std::move(help));
}
Setting list(std::string key, std::vector<std::string> fallback, std::string help) {
  return make(std::move(key), Type::List, std::move(fallback), std::move(help));
}

}  // namespace posthaste::config
