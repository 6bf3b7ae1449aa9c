// A folder for a configuration file, an environment of the test's own, and ways to read both.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/random.h"
#include "base/strings.h"
#include "config/config.h"

namespace posthaste::config::testing {

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() : folder(std::filesystem::temp_directory_path() / ("posthaste-config-" + random_hex(8))) {
    std::filesystem::create_directories(folder);
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) {
    const auto path = folder / name;
    std::ofstream(path) << text;
    return path.string();
  }

  LoadOptions options() {
    LoadOptions made;
    made.path = path;
    made.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    return made;
  }
  void file(const std::string& text) { path = write("postal.yml", text); }

  Loaded read() {
    auto loaded = load(options());
    EXPECT_TRUE(loaded.has_value()) << (loaded ? "" : join(loaded.error(), "\n"));
    return loaded ? *loaded : Loaded{};
  }
  Config config() { return read().config; }
  std::vector<std::string> errors() {
    auto loaded = load(options());
    return loaded ? std::vector<std::string>{} : loaded.error();
  }
  std::string shown(const std::string& key) {
    for (const auto& setting : show(options(), false))
      if (setting.key == key) return setting.value;
    return "no such key";
  }

  std::filesystem::path folder;
  std::optional<std::string> path;
  std::map<std::string, std::string> variables;
};

}  // namespace posthaste::config::testing
