// One row of the table of settings, and the words in which the table is written:
//
//   integer("worker.threads", 2, "Work threads of each worker.").at_least(1).into(FIELD(worker.threads))
//
// A row without into(), or with not_yet(), is known, checked and shown, but nothing acts on it: the reference page says
// so, and setting it to something else than the default gives a warning. Whoever makes it work removes not_yet().
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "config/config.h"

namespace posthaste::config {

enum class Type { Text, Integer, Boolean, Real, List };

// Nothing (monostate) is a choice of its own where the row says optional().
using Value = std::variant<std::monostate, std::string, std::int64_t, bool, double, std::vector<std::string>>;
std::string to_text(const Value& value);  // lists joined by `, `
std::string to_yaml(const Value& value);  // texts in quotes

struct Setting {
  using Check = std::function<std::string(const Value&)>;  // what is wrong, or empty
  using Store = std::function<void(Config&, const Value&)>;

  std::string key;  // `group.name`
  Type type = Type::Text;
  Value fallback;
  std::optional<Value> modern_fallback;
  std::string derived;  // for the reference: what the default is made of
  std::string text;     // for the reference
  std::string v1_path;
  bool is_secret = false, is_optional = false, is_path = false, is_ours = false, is_ignored = false, is_used = false,
       is_pending = false;
  Check error, doubt;
  Store store;

  std::string group() const { return key.substr(0, key.find('.')); }
  std::string name() const { return key.substr(key.find('.') + 1); }
  std::string variable() const;  // `WORKER_THREADS`
  const Value& default_for(Profile profile) const;
  bool acts() const { return (store && !is_pending) || is_used || is_ignored; }

  Setting&& v1(std::string path) &&;  // name in a version 1 file
  Setting&& v1_same() &&;
  Setting&& modern(Value value) &&;  // default of the profile `modern`
  Setting&& derives(std::string from) &&;
  Setting&& secret() &&;
  Setting&& optional() &&;  // empty means nothing, not the default
  Setting&& path() &&;      // `$config-file-root` is replaced, made absolute
  Setting&& ours() &&;      // added by Posthaste: same name in version 1 files
  Setting&& used() &&;      // acted upon while the configuration is read
  Setting&& ignored() &&;   // accepted for Postal's sake, without effect by intention
  Setting&& not_yet() &&;   // has its place in Config, but nothing acts on it so far
  Setting&& port() &&;
  Setting&& at_least(std::int64_t lowest) &&;
  Setting&& one_of(std::initializer_list<std::string_view> words) &&;    // anything else is an error
  Setting&& expected(std::initializer_list<std::string_view> words) &&;  // anything else is doubtful
  Setting&& networks() &&;
  Setting&& url() &&;
  Setting&& checked(Check check) &&;
  Setting&& stored(Store store) &&;

  // Stores into the member that `field` names.
  template <class Field>
  Setting&& into(Field field) && {
    using T = std::remove_cvref_t<decltype(field(std::declval<Config&>()))>;
    return std::move(*this).stored([field](Config& config, const Value& value) {
      const T* given = std::get_if<T>(&value);
      field(config) = given ? *given : T{};
    });
  }
};

Setting text(std::string key, std::string fallback, std::string help);
Setting text(std::string key, std::nullptr_t, std::string help);  // no default, optional
Setting integer(std::string key, std::int64_t fallback, std::string help);
Setting boolean(std::string key, bool fallback, std::string help);
Setting real(std::string key, double fallback, std::string help);
Setting list(std::string key, std::vector<std::string> fallback, std::string help);

using Settings = std::vector<Setting>;
const Settings& settings();
const Setting* find_setting(std::string_view key);
// The known key that was probably meant, or empty.
std::string nearest_key(std::string_view unknown);

// The table by group of groups.
Settings installation_settings();  // posthaste, postal, rails, oidc, auth, audit, ui, notifications
Settings server_settings();        // web_server, worker, main_db, message_db, logging, gelf, health, migration_waiter
Settings smtp_server_settings();
Settings delivery_settings();  // dns, smtp, smtp_client, delivery, inspection, rspamd, spamd, clamav
Settings http_settings();      // api, webhooks, tracking

}  // namespace posthaste::config
