// The table as a whole, and the search for what was meant by an unknown key.
#include "base/similar.h"
#include "base/strings.h"
#include "config/setting.h"

namespace posthaste::config {

namespace {

// Mistakes that are known from Postal's own documents and that no measure of likeness would find.
constexpr std::pair<std::string_view, std::string_view> kKnownMistakes[] = {
    {"dns.helo_domain", "dns.helo_hostname"},
    {"smtp_relays", "postal.smtp_relays"},
};

std::pair<std::string_view, std::string_view> parts_of(std::string_view key) {
  const auto dot = key.find('.');
  if (dot == std::string_view::npos) return {{}, key};
  return {key.substr(0, dot), key.substr(dot + 1)};
}

// The group itself when it exists, else the one that its name resembles.
std::string nearest_group(std::string_view wrong) {
  std::string nearest;
  Similar similar(wrong);
  for (const auto& setting : settings()) {
    if (setting.group() == wrong) return std::string(wrong);
    if (similar.nearer(setting.group())) nearest = setting.group();
  }
  return nearest;
}

Settings whole_table() {
  Settings all = installation_settings();
  for (auto part : {server_settings(), smtp_server_settings(), delivery_settings(), http_settings()})
    all.insert(all.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
  return all;
}

std::map<std::string, const Setting*, std::less<>> by_key() {
  std::map<std::string, const Setting*, std::less<>> index;
  for (const auto& setting : settings()) index[setting.key] = &setting;
  return index;
}

}  // namespace

const Settings& settings() {
  static const Settings table = whole_table();
  return table;
}

const Setting* find_setting(std::string_view key) {
  static const auto index = by_key();
  const auto found = index.find(key);
  return found == index.end() ? nullptr : found->second;
}

std::string nearest_key(std::string_view unknown) {
  for (const auto& [wrong, right] : kKnownMistakes)
    if (unknown == wrong) return std::string(right);
  for (const auto& setting : settings())
    if (setting.v1_path == unknown) return setting.key;

  const auto [wrong_group, name] = parts_of(unknown);
  const std::string group = nearest_group(wrong_group);
  std::string nearest;
  Similar similar(name);
  std::vector<std::string> elsewhere;
  for (const auto& setting : settings()) {
    if (setting.group() == group && similar.nearer(setting.name())) nearest = setting.key;
    if (setting.name() == name) elsewhere.push_back(setting.key);
  }
  if (!nearest.empty()) return nearest;
  return elsewhere.size() == 1 ? elsewhere.front() : std::string();  // of several, each would be a guess
}

}  // namespace posthaste::config
