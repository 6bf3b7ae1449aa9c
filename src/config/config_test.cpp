// The acceptance cases of the configuration (admin-and-config.md, cases 1 to 17).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "base/strings.h"
#include "config/config.h"

namespace posthaste::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ConfigTest : public testing::Test {
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

TEST_F(ConfigTest, WithoutFileAndVariablesTheDefaultsHold) {
  const Config c = config();
  EXPECT_EQ(c.postal.web_hostname, "postal.example.com");
  EXPECT_EQ(c.smtp_server.default_bind_address, "::");
  EXPECT_THAT(c.dns.mx_records, ElementsAre("mx1.postal.example.com", "mx2.postal.example.com"));
  EXPECT_EQ(shown("oidc.scopes"), "openid, email");
  EXPECT_THAT(c.postal.smtp_relays, IsEmpty());
  EXPECT_EQ(c.profile, Profile::Modern);
  EXPECT_TRUE(c.sqlite());
}

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

TEST_F(ConfigTest, AllErrorsAreReportedAtOnceWithTheirSource) {
  file("version: 2\nmain_db:\n  port: 70000\npostal:\n  trusted_proxies: [not-an-ip]\n");
  variables["WORKER_THREADS"] = "abc";
  EXPECT_THAT(errors(), testing::UnorderedElementsAre(
                            testing::AllOf(HasSubstr("WORKER_THREADS"), HasSubstr("worker.threads")),
                            testing::AllOf(HasSubstr("postal.yml:3"), HasSubstr("main_db.port"), HasSubstr("70000")),
                            testing::AllOf(HasSubstr("postal.yml:5"), HasSubstr("not-an-ip"))));
}

TEST_F(ConfigTest, PathsFollowTheFilesFolder) {
  variables["POSTAL_CONFIG_FILE_PATH"] = "/x/y/postal.yml";
  EXPECT_EQ(config().postal.signing_key_path, "/x/y/signing.key");
  EXPECT_EQ(config().file, "");
  variables["POSTAL_SIGNING_KEY_PATH"] = "$CONFIG-FILE-ROOT/k";
  EXPECT_EQ(config().postal.signing_key_path, "/x/y/k");
  EXPECT_EQ(config().posthaste.data_path, "/x/y/data");
}

TEST_F(ConfigTest, AFileThatIsNamedOnTheCommandLineMustExist) {
  path = "/x/y/postal.yml";
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("/x/y/postal.yml")));
}

TEST_F(ConfigTest, AFileWithoutVersionHasVersion1) {
  file("web: {host: postal.llamas.com}\n");
  EXPECT_EQ(config().postal.web_hostname, "postal.llamas.com");
  EXPECT_THAT(read().notices, testing::Contains("WARNING: Using legacy config file format."));
  variables["SILENCE_POSTAL_CONFIG_MESSAGES"] = "true";
  EXPECT_THAT(read().notices, IsEmpty());
}

TEST_F(ConfigTest, AVersion1FileIsMapped) {
  file(R"(web:
  host: postal.llamas.com
  protocol: https
general:
  use_ip_pools: false
  exception_url: https://key@sentry.llamas.com/1
  maximum_delivery_attempts: 20
  maximum_hold_expiry_days: 10
  suppression_list_removal_delay: 60
  use_local_ns_for_domains: true
  default_spam_threshold: 10
  default_spam_failure_threshold: 25
  use_resent_sender_header: true
web_server:
  bind_address: 127.0.0.1
  port: 6000
main_db:
  host: localhost
  pool_size: 20
message_db:
  host: localhost
  prefix: llama
logging:
  stdout: true
  rails_log: true
  graylog:
    host: logs.llamas.com
    port: 12201
    facility: mailer
rabbitmq:
  host: 127.0.0.1
smtp_server:
  port: 25
  log_connect: true
  max_message_size: 10
smtp_relays:
  - hostname: 1.2.3.4
    port: 25
    ssl_mode: Auto
  - hostname: 2.2.2.2
    port: 2525
    ssl_mode: None
  - hostname: relay.llamas.com
dns:
  smtp_server_hostname: smtp.postal.llamas.com
  return_path: rp.postal.llamas.com
  helo_domain: out.llamas.com
rspamd:
  port: 11334
smtp_client:
  open_timeout: 60
  read_timeout: 120
)");
  const Config c = config();
  EXPECT_EQ(c.profile, Profile::Postal);
  EXPECT_EQ(c.postal.smtp_hostname, "smtp.postal.llamas.com");
  EXPECT_EQ(c.postal.default_maximum_delivery_attempts, 20);
  EXPECT_EQ(c.postal.default_maximum_hold_expiry_days, 10);
  EXPECT_EQ(c.postal.default_suppression_list_automatic_removal_days, 60);
  EXPECT_EQ(c.postal.default_spam_threshold, 10);
  EXPECT_EQ(c.postal.default_spam_failure_threshold, 25);
  ASSERT_EQ(c.postal.smtp_relays.size(), 3u);
  EXPECT_EQ(c.postal.smtp_relays[0].host, "1.2.3.4");
  EXPECT_EQ(c.postal.smtp_relays[1].port, 2525);
  EXPECT_EQ(c.postal.smtp_relays[1].ssl_mode, "None");
  EXPECT_EQ(c.postal.smtp_relays[2].port, 25);
  EXPECT_EQ(c.postal.smtp_relays[2].ssl_mode, "Auto");
  EXPECT_EQ(c.web_server.default_port, 6000);
  EXPECT_EQ(c.main_db.pool_size, 20);
  EXPECT_EQ(c.message_db_prefix, "llama");
  EXPECT_EQ(c.smtp_server.max_message_size, 10);
  EXPECT_TRUE(c.smtp_server.log_connections);
  EXPECT_EQ(c.smtp_server.default_bind_address, "::");
  EXPECT_EQ(c.dns.return_path_domain, "rp.postal.llamas.com");
  EXPECT_EQ(c.dns.helo_hostname, "out.llamas.com");
  EXPECT_EQ(c.smtp_client.open_timeout, 60);
  EXPECT_EQ(c.smtp_client.read_timeout, 120);
  EXPECT_EQ(c.logging.level, "debug");
  EXPECT_EQ(shown("gelf.facility"), "mailer");
  EXPECT_EQ(shown("logging.rails_log_enabled"), "true");
  EXPECT_EQ(shown("rspamd.port"), "11334");
  EXPECT_FALSE(c.sqlite());
  EXPECT_THAT(read().warnings,
              testing::Contains(testing::AllOf(HasSubstr("rabbitmq.host"), HasSubstr("logging.stdout"))));
}

TEST_F(ConfigTest, AConvertedFileMeansTheSame) {
  file(
      "web: {host: postal.llamas.com}\nsmtp_relays:\n  - {hostname: 1.2.3.4, port: 2525, ssl_mode: None}\nrabbitmq: "
      "{host: h}\n"
      "smtp_server: {tls_enabled: yes, tls_certificate_path: $config-file-root/c}\nmain_db: {password: "
      "\"a\\\\b\\\"c\"}\n");
  variables["POSTAL_SMTP_HOSTNAME"] = "not.the.files";
  const auto converted = convert(options());
  ASSERT_TRUE(converted);
  EXPECT_THAT(converted->left_out, ElementsAre(HasSubstr("rabbitmq.host")));
  EXPECT_THAT(converted->yaml, Not(HasSubstr("not.the.files")));
  EXPECT_THAT(converted->yaml, HasSubstr("tls_certificate_path: \"$config-file-root/c\""));
  const Config before = config();
  file(converted->yaml);
  const Config after = config();
  EXPECT_THAT(read().warnings, IsEmpty());
  EXPECT_EQ(after.postal.web_hostname, "postal.llamas.com");
  EXPECT_EQ(after.postal.smtp_relays.at(0).port, 2525);
  EXPECT_EQ(after.postal.smtp_relays.at(0).ssl_mode, "None");
  EXPECT_TRUE(after.smtp_server.tls_enabled);
  EXPECT_EQ(after.smtp_server.tls_certificate_path, before.smtp_server.tls_certificate_path);
  EXPECT_EQ(after.main_db.password, "a\\b\"c");
  EXPECT_EQ(after.profile, before.profile);
}

TEST_F(ConfigTest, TheVersionIsOneOrTwo) {
  file("version: 3\n");
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("Invalid version specified in Postal config file. Must be 1 or 2.")));
  for (const char* two : {"\"2\"", "2.0", "2"}) {
    file(fmt::format("version: {}\npostal:\n  web_hostname: two\n", two));
    EXPECT_EQ(config().postal.web_hostname, "two");
  }
}

TEST_F(ConfigTest, UnknownKeysAreReportedWithWhatWasProbablyMeant) {
  file("version: 2\nmessage_db: {prefix: x}\ndns: {helo_domain: h, spf_inclde: s}\nweb: {host: w}\n");
  const Loaded loaded = read();
  EXPECT_EQ(loaded.config.message_db_prefix, "postal");
  EXPECT_THAT(loaded.warnings, testing::UnorderedElementsAre(
                                   HasSubstr("message_db.database_name_prefix"), HasSubstr("dns.helo_hostname"),
                                   HasSubstr("dns.spf_include"), HasSubstr("postal.web_hostname")));
}

TEST_F(ConfigTest, RelaysAreUrlsOrHosts) {
  file(R"(version: 2
postal:
  smtp_relays:
    - smtp://1.2.3.4:2525?ssl_mode=None
    - smtp://h
    - smtp://[2001:db8::1]:25
    - smtps://user:p%40ss@relay.example.com
    - relay.example.com:587
)");
  const auto relays = config().postal.smtp_relays;
  ASSERT_EQ(relays.size(), 5u);
  EXPECT_EQ(relays[0].host + std::to_string(relays[0].port) + relays[0].ssl_mode, "1.2.3.42525None");
  EXPECT_EQ(relays[1].host + std::to_string(relays[1].port) + relays[1].ssl_mode, "h25Auto");
  EXPECT_EQ(relays[2].host, "2001:db8::1");
  EXPECT_EQ(relays[3].host + std::to_string(relays[3].port) + relays[3].ssl_mode, "relay.example.com465TLS");
  EXPECT_EQ(relays[3].username + " " + relays[3].password, "user p@ss");
  EXPECT_EQ(relays[4].port, 587);
}

TEST_F(ConfigTest, ABadRelayStopsTheStartWithoutShowingItsPassword) {
  variables["POSTAL_SMTP_RELAYS"] = "smtp://user:secret@host:99999";
  EXPECT_THAT(errors(), ElementsAre(testing::AllOf(HasSubstr("POSTAL_SMTP_RELAYS"), HasSubstr("99999"),
                                                   Not(HasSubstr("secret")))));
}

TEST_F(ConfigTest, EmptyGroupsAndFilesAreEmpty) {
  file("version: 2\nsmtp:\npostal:\n");
  EXPECT_EQ(config().smtp.host, "127.0.0.1");
  file("");
  EXPECT_EQ(config().profile, Profile::Postal);
  file("- a\n- b\n");
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("map")));
  file("version: 2\npostal: {\n");
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("line")));
}

TEST_F(ConfigTest, ASecretMayComeFromAFile) {
  variables["MAIN_DB_PASSWORD_FILE"] = write("secret", "p w\n\n");
  EXPECT_EQ(config().main_db.password, "p w\n");
  EXPECT_EQ(shown("main_db.password"), "********");
  variables["MAIN_DB_PASSWORD"] = "other";
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("MAIN_DB_PASSWORD_FILE")));
}

TEST_F(ConfigTest, PostalsOwnSampleWithItsUnquotedColonsLoads) {
  file("version: 2\nsmtp_server:\n  default_bind_address: ::\n  default_port: 2525 # as ever\n");
  EXPECT_EQ(config().smtp_server.default_bind_address, "::");
  EXPECT_EQ(config().smtp_server.default_port, 2525);
}

TEST_F(ConfigTest, EmptyMeansDefaultUnlessNothingIsAChoice) {
  file("version: 2\nsmtp:\n  host:\n  authentication_type:\nmain_db:\n  password: x\n");
  variables["MAIN_DB_PASSWORD"] = "";
  const Config c = config();
  EXPECT_EQ(c.smtp.host, "127.0.0.1");
  EXPECT_EQ(c.smtp.authentication_type, "");
  EXPECT_EQ(c.main_db.password, "");
}

TEST_F(ConfigTest, TheProfileDecidesDefaults) {
  file("version: 2\n");
  Config c = config();
  EXPECT_EQ(c.profile, Profile::Postal);
  EXPECT_EQ(c.smtp_server.unknown_recipient_reply, 530);
  EXPECT_EQ(c.smtp_server.banner_product, "Postal");
  EXPECT_FALSE(c.smtp_server.auth_requires_tls);
  EXPECT_EQ(c.api.v1_invalid_recipients, "store");
  EXPECT_EQ(c.api.max_message_size, 0);

  file("version: 2\nposthaste:\nsmtp_server: {unknown_recipient_reply: 551}\n");
  c = config();
  EXPECT_EQ(c.profile, Profile::Modern);
  EXPECT_EQ(c.smtp_server.unknown_recipient_reply, 551);
  EXPECT_EQ(c.smtp_server.banner_product, "Posthaste");
  EXPECT_TRUE(c.smtp_server.auth_requires_tls);
  EXPECT_EQ(c.api.v1_invalid_recipients, "reject");
  EXPECT_EQ(c.api.max_message_size, 14 * 1024 * 1024);

  file("version: 2\nposthaste: {profile: postal}\n");
  EXPECT_EQ(config().profile, Profile::Postal);
  variables["POSTHASTE_PROFILE"] = "modern";
  EXPECT_EQ(config().profile, Profile::Modern);
}

TEST_F(ConfigTest, TheDatabaseFollowsFromWhatIsGiven) {
  file("version: 2\nmain_db: {host: db}\n");
  EXPECT_EQ(config().posthaste.database, "mariadb");
  file("version: 2\nmain_db: {host: db}\nposthaste: {database: sqlite}\n");
  EXPECT_EQ(config().posthaste.database, "sqlite");
  file("version: 2\n");
  EXPECT_EQ(config().posthaste.database, "sqlite");
  variables["MAIN_DB_PASSWORD"] = "x";
  EXPECT_EQ(config().posthaste.database, "mariadb");
}

TEST_F(ConfigTest, TheBannerNamesTheSmtpHostUnlessToldOtherwise) {
  file("version: 2\npostal: {smtp_hostname: mx.a.test}\n");
  EXPECT_EQ(config().smtp_server.banner_hostname, "mx.a.test");
}

TEST_F(ConfigTest, ASettingThatNothingActsOnIsNotAcceptedInSilence) {
  file("version: 2\noidc: {enabled: true}\nclamav: {enabled: false}\nweb_server: {max_threads: 50}\n");
  EXPECT_THAT(read().warnings, ElementsAre(testing::AllOf(HasSubstr("oidc.enabled"), HasSubstr("no effect"))));
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
