// The file, its versions, profiles and checks (admin-and-config.md, cases 1 and 7 to 17).
#include "config/setting.h"
#include "config/testing_config.h"

namespace posthaste::config {
namespace {

using testing::ConfigTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

TEST_F(ConfigTest, AllErrorsAreReportedAtOnceWithTheirSource) {
  file("version: 2\nmain_db:\n  port: 70000\npostal:\n  trusted_proxies: [not-an-ip]\n");
  variables["WORKER_THREADS"] = "abc";
  EXPECT_THAT(errors(), ::testing::UnorderedElementsAre(
                            ::testing::AllOf(HasSubstr("WORKER_THREADS"), HasSubstr("worker.threads")),
                            ::testing::AllOf(HasSubstr("postal.yml:3"), HasSubstr("main_db.port"), HasSubstr("70000")),
                            ::testing::AllOf(HasSubstr("postal.yml:5"), HasSubstr("not-an-ip"))));
}

TEST_F(ConfigTest, PathsFollowTheFilesFolder) {
  variables["POSTAL_CONFIG_FILE_PATH"] = "/x/y/postal.yml";
  EXPECT_EQ(config().postal.signing_key_path, "/x/y/signing.key");
  EXPECT_EQ(config().file, "");
  variables["POSTAL_SIGNING_KEY_PATH"] = "$CONFIG-FILE-ROOT/k";
  EXPECT_EQ(config().postal.signing_key_path, "/x/y/k");
  EXPECT_EQ(config().posthaste.data_path, "/x/y/data");
}

TEST_F(ConfigTest, PairsOfPathsFollowTheFilesFolderToo) {
  file("version: 2\nsmtp_server: {tls_certificates: ['$config-file-root/a.cert|/b.key']}\n");
  EXPECT_THAT(config().smtp_server.tls_certificates, ElementsAre((folder / "a.cert|/b.key").string()));
  file("version: 2\nsmtp_server: {tls_certificates: [a.cert]}\n");
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("certificate-path|key-path")));
}

TEST_F(ConfigTest, AFileThatIsNamedOnTheCommandLineMustExist) {
  path = "/x/y/postal.yml";
  EXPECT_THAT(errors(), ElementsAre(::testing::AllOf(HasSubstr("/x/y/postal.yml"),
                                                     HasSubstr("posthaste bootstrap HOSTNAME /x/y"))));
}

TEST_F(ConfigTest, AFileWithoutVersionHasVersion1) {
  file("web: {host: postal.llamas.com}\n");
  EXPECT_EQ(config().postal.web_hostname, "postal.llamas.com");
  EXPECT_THAT(read().notices, ::testing::Contains("WARNING: Using legacy config file format."));
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
              ::testing::Contains(::testing::AllOf(HasSubstr("rabbitmq.host"), HasSubstr("logging.stdout"))));
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
  EXPECT_THAT(loaded.warnings, ::testing::UnorderedElementsAre(
                                   HasSubstr("message_db.database_name_prefix"), HasSubstr("dns.helo_hostname"),
                                   HasSubstr("dns.spf_include"), HasSubstr("postal.web_hostname")));
}

TEST_F(ConfigTest, ASuggestionIsNearOrThereIsNone) {
  EXPECT_EQ(nearest_key("smtp_server.tls_enable"), "smtp_server.tls_enabled");
  EXPECT_EQ(nearest_key("smtp_sever.tls_enabld"), "smtp_server.tls_enabled");
  EXPECT_EQ(nearest_key("dns.spf_inclde"), "dns.spf_include");
  // The same section comes first, then the one section that has the name.
  EXPECT_EQ(nearest_key("main_db.hots"), "main_db.host");
  EXPECT_EQ(nearest_key("web_server.tls_enabled"), "smtp_server.tls_enabled");
  EXPECT_EQ(nearest_key("signing_key_path"), "postal.signing_key_path");
  // Of many sections that have it none is more likely than the others; nothing is like these.
  EXPECT_EQ(nearest_key("postal.host"), "");
  EXPECT_EQ(nearest_key("smtp_server.tls"), "");
  EXPECT_EQ(nearest_key("dns.frobnicate"), "");
  EXPECT_EQ(nearest_key("x.y"), "");
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
  EXPECT_THAT(errors(), ElementsAre(::testing::AllOf(HasSubstr("POSTAL_SMTP_RELAYS"), HasSubstr("99999"),
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

TEST_F(ConfigTest, PostalsOwnSampleWithItsUnquotedColonsLoads) {
  file("version: 2\nsmtp_server:\n  default_bind_address: ::\n  default_port: 2525 # as ever\n");
  EXPECT_EQ(config().smtp_server.default_bind_address, "::");
  EXPECT_EQ(config().smtp_server.default_port, 2525);
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
  EXPECT_THAT(read().warnings, ElementsAre(::testing::AllOf(HasSubstr("oidc.enabled"), HasSubstr("no effect"))));
}

}  // namespace
}  // namespace posthaste::config
