// Where values come from and how they are read (admin-and-config.md, cases 2 to 6 and 16).
#include "config/testing_config.h"

namespace posthaste::config {
namespace {

using testing::ConfigTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(ConfigTest, TheEnvironmentWinsOverTheFile) {
  file("version: 2\nmain_db:\n  host: a\n");
  variables["MAIN_DB_HOST"] = "b";
  EXPECT_EQ(config().main_db.host, "b");
}

TEST_F(ConfigTest, ListsFromTheEnvironmentAreSplitAtCommas) {
  variables["DNS_MX_RECORDS"] = " mx1.a.com , mx2.a.com";
  variables["POSTAL_TRUSTED_PROXIES"] = "";
  EXPECT_THAT(config().dns.mx_records, ElementsAre("mx1.a.com", "mx2.a.com"));
  EXPECT_THAT(config().postal.trusted_proxies, IsEmpty());
}

TEST_F(ConfigTest, AScalarForAListIsAListOfOne) {
  file("version: 2\ndns:\n  mx_records: mx.a.com\n");
  EXPECT_THAT(config().dns.mx_records, ElementsAre("mx.a.com"));
}

TEST_F(ConfigTest, OnlyPostalsWordsTurnABooleanOnInTheEnvironment) {
  for (const char* on : {"1", "true", "1.0"}) {
    variables["SMTP_SERVER_TLS_ENABLED"] = on;
    EXPECT_TRUE(config().smtp_server.tls_enabled) << on;
    EXPECT_THAT(read().warnings, IsEmpty());
  }
  for (const char* off : {"yes", "on", "TRUE"}) {
    variables["SMTP_SERVER_TLS_ENABLED"] = off;
    EXPECT_FALSE(config().smtp_server.tls_enabled) << off;
    EXPECT_THAT(read().warnings, ElementsAre(HasSubstr("SMTP_SERVER_TLS_ENABLED")));
  }
}

TEST_F(ConfigTest, YamlBooleansAreThoseOfYaml11) {
  for (const char* on : {"yes", "On", "true", "TRUE"}) {
    file(fmt::format("version: 2\nsmtp_server:\n  tls_enabled: {}\n", on));
    EXPECT_TRUE(config().smtp_server.tls_enabled) << on;
  }
  file("version: 2\nsmtp_server:\n  tls_enabled: \"yes\"\n");
  EXPECT_FALSE(config().smtp_server.tls_enabled);
}

TEST_F(ConfigTest, YamlNumbersAreThoseOfRuby) {
  const std::pair<const char*, std::int64_t> cases[] = {{"010", 8},      {"0x1f", 31},     {"1_000", 1000},
                                                        {"1,000", 1000}, {"12:30", 45000}, {"0b101", 5},
                                                        {"\"25\"", 25},  {"+7", 7}};
  for (const auto& [text, number] : cases) {
    file(fmt::format("version: 2\nsmtp_server:\n  max_recipients: {}\n", text));
    EXPECT_EQ(config().smtp_server.max_recipients, number) << text;
  }
}

TEST_F(ConfigTest, TextTakesTheFormThatRubyPrints) {
  file("version: 2\nmain_db:\n  username: 010\n  password: \"010\"\n  database: yes\n  encoding: 1e3\n");
  const Config c = config();
  EXPECT_EQ(c.main_db.username, "8");
  EXPECT_EQ(c.main_db.password, "010");
  EXPECT_EQ(c.main_db.database, "true");
  EXPECT_EQ(c.main_db.encoding, "1000.0");
}

TEST_F(ConfigTest, AServiceVariableOfAnOrchestratorIsNoPort) {
  variables["SMTP_PORT"] = "tcp://10.0.0.7:25";
  EXPECT_EQ(config().smtp.port, 25);
  EXPECT_THAT(read().warnings, ElementsAre(HasSubstr("SMTP_PORT")));
}

TEST_F(ConfigTest, ASecretMayComeFromAFile) {
  variables["MAIN_DB_PASSWORD_FILE"] = write("secret", "p w\n\n");
  EXPECT_EQ(config().main_db.password, "p w\n");
  EXPECT_EQ(shown("main_db.password"), "********");
  variables["MAIN_DB_PASSWORD"] = "other";
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("MAIN_DB_PASSWORD_FILE")));
}

TEST_F(ConfigTest, EmptyMeansDefaultUnlessNothingIsAChoice) {
  file("version: 2\nsmtp:\n  host:\n  authentication_type:\nmain_db:\n  password: x\n");
  variables["MAIN_DB_PASSWORD"] = "";
  const Config c = config();
  EXPECT_EQ(c.smtp.host, "127.0.0.1");
  EXPECT_EQ(c.smtp.authentication_type, "");
  EXPECT_EQ(c.main_db.password, "");
}

TEST_F(ConfigTest, TheDotenvFileStandsBehindTheRealEnvironment) {
  variables["A"] = "real";
  const auto environment = with_dotenv(options().environment, "A=dotenv\nexport B='b # c'\nC=plain # note\n# D=d\n");
  EXPECT_EQ(environment("A"), "real");
  EXPECT_EQ(environment("B"), "b # c");
  EXPECT_EQ(environment("C"), "plain");
  EXPECT_EQ(environment("D"), std::nullopt);
}

TEST_F(ConfigTest, VariablesOfTheProcessReplacePortAndAddress) {
  variables = {{"PORT", "8080"}, {"BIND_ADDRESS", ""}, {"HEALTH_SERVER_BIND_ADDRESS", "::1"}};
  const auto found = listen_overrides(options().environment);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->port, 8080);
  EXPECT_EQ(found->bind_address, std::nullopt);
  EXPECT_EQ(found->health_bind_address, "::1");
  variables["PORT"] = "http";
  EXPECT_THAT(listen_overrides(options().environment).error(), ElementsAre(HasSubstr("PORT")));
}

}  // namespace
}  // namespace posthaste::config
