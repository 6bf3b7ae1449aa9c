#include "config/config.h"

#include "config/reading.h"

namespace posthaste::config {

std::expected<Loaded, std::vector<std::string>> load(const LoadOptions& options) {
  Reading reading = read_settings(options);
  if (!reading.errors.empty()) return std::unexpected(std::move(reading.errors));
  Loaded loaded;
  loaded.config.file = reading.file;
  loaded.config.root = reading.root;
  loaded.config.profile = reading.profile;
  for (const auto& setting : settings())
    if (setting.store) setting.store(loaded.config, reading.values[setting.key].value);
  loaded.warnings = std::move(reading.warnings);
  loaded.notices = std::move(reading.notices);
  return loaded;
}

std::vector<ShownSetting> show(const LoadOptions& options, bool reveal_secrets) {
  const Reading reading = read_settings(options);
  std::vector<ShownSetting> shown;
  for (const auto& setting : settings()) {
    const Resolved& resolved = reading.values.at(setting.key);
    std::string value = to_text(resolved.value);
    if (setting.is_secret && !value.empty() && !reveal_secrets) value = "********";
    shown.push_back({setting.key, std::move(value), resolved.source, setting.text});
  }
  return shown;
}

}  // namespace posthaste::config
