#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "config/config.h"
#include "config/setting.h"

namespace posthaste::config {
namespace {

// The tests run somewhere below the repository's root.
std::string docs_page() {
  auto folder = std::filesystem::current_path();
  while (folder.has_relative_path() && !std::filesystem::exists(folder / "docs" / "configuration.md"))
    folder = folder.parent_path();
  std::ifstream file(folder / "docs" / "configuration.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ReferenceTest, TheCheckedInPageIsCurrent) {
  EXPECT_TRUE(docs_page() == reference_markdown())
      << "write docs/configuration.md anew with `posthaste config reference`";
}

TEST(ReferenceTest, TheSampleLoadsWithoutAWarning) {
  const auto path = std::filesystem::temp_directory_path() / "posthaste-sample.yml";
  std::ofstream(path) << sample();
  LoadOptions options{path.string(), [](const std::string&) { return std::nullopt; }};
  const auto loaded = load(options);
  std::filesystem::remove(path);
  ASSERT_TRUE(loaded) << (loaded ? "" : loaded.error().front());
  EXPECT_THAT(loaded->warnings, testing::IsEmpty());
  EXPECT_TRUE(loaded->config.sqlite());
}

TEST(ReferenceTest, KeysAreUniqueAndHaveGroupNameAndText) {
  std::set<std::string> keys;
  for (const auto& setting : settings()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    EXPECT_NE(setting.key.find('.'), std::string::npos) << setting.key;
    EXPECT_FALSE(setting.text.empty()) << setting.key;
  }
}

TEST(ReferenceTest, All110SettingsOfPostalAreKnown) {
  const auto postals = std::ranges::count_if(settings(), [](const auto& setting) { return !setting.is_ours; });
  EXPECT_EQ(postals, 110 + 1) << "postal.allowed_request_destinations came with Postal 3.3.7";
}

TEST(ReferenceTest, DefaultsPassTheirOwnChecks) {
  for (const auto& setting : settings())
    for (auto profile : {Profile::Postal, Profile::Modern})
      if (setting.error && !std::holds_alternative<std::monostate>(setting.default_for(profile))) {
        EXPECT_EQ(setting.error(setting.default_for(profile)), "") << setting.key;
      }
}

}  // namespace
}  // namespace posthaste::config
