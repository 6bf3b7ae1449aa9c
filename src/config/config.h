// The configuration in force: values with their sources. The table of all settings is in settings_*.cpp; parser,
// checks, defaults, environment names, v1 mapping and the reference page follow from it (admin-and-config.md section
// 1).
//
// A setting gets its value from the environment, else from the file, else from the table. All that is wrong is reported
// at once; what is merely doubtful becomes a warning.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::config {

// Decides every default on which Postal's behaviour and good practice differ; a setting of its own wins over it.
enum class Profile { Postal, Modern };

// An SMTP relay of postal.smtp_relays.
struct Relay {
  std::string host;
  int port = 25;
  std::string ssl_mode = "Auto";   // None, Auto, STARTTLS, TLS
  std::string username, password;  // empty: no authentication
};

// The values that the program acts on, by group. Every key of the reference is in the table; here are those that have a
// reader. Paths are absolute, `$config-file-root` is replaced.
struct Config {
  std::string file;  // path of the file that was read; empty: none
  std::string root;  // its directory, absolute
  Profile profile = Profile::Modern;

  struct {
    std::string web_hostname, web_protocol, smtp_hostname, signing_key_path;
    bool use_ip_pools = false, use_local_ns_for_domain_verification = false, use_resent_sender_header = true;
    std::int64_t default_maximum_delivery_attempts = 18, default_maximum_hold_expiry_days = 7;
    std::int64_t default_suppression_list_automatic_removal_days = 30, default_spam_threshold = 5,
                 default_spam_failure_threshold = 20;
    std::vector<Relay> smtp_relays;
    std::vector<std::string> trusted_proxies;
    std::vector<std::string> allowed_request_destinations;
    std::int64_t queued_message_lock_stale_days = 1;
    bool batch_queued_messages = true;
  } postal;
  struct {
    std::int64_t default_port = 5000, max_connections = 4096;
    std::string default_bind_address;
    std::vector<std::string> allowed_hosts;
  } web_server;
  struct {
    std::int64_t default_health_server_port = 9090, threads = 2, shutdown_grace = 8;
    std::string default_health_server_bind_address;
  } worker;
  struct Database {
    std::string host, username, password, database, encoding;
    std::int64_t port = 3306, pool_size = 5;
  } main_db, message_db;
  std::string message_db_prefix;  // message_db.database_name_prefix
  struct {
    bool enabled = true, highlighting_enabled = false, smtp_dialogue = false;
    std::string level = "info", format = "text";
  } logging;
  struct {
    std::int64_t default_port = 25, default_health_server_port = 9091, max_message_size = 14;  // MB
    std::string default_bind_address, default_health_server_bind_address, banner_hostname, banner_product;
    bool tls_enabled = false, proxy_protocol = false, log_connections = false;
    std::string tls_certificate_path, tls_private_key_path, tls_ciphers, ssl_version, tls_min_version;
    std::string log_ip_address_exclusion_matcher;
    bool auth_requires_tls = false, enhanced_status_codes = true, chunking = true, pipelining = true,
         reverse_dns = true;
    std::int64_t max_connections = 10000, max_recipients = 1000, max_messages_per_connection = 1000,
                 max_command_line = 2048;
    std::int64_t max_header_size = 524288, max_errors = 20;
    std::int64_t command_timeout = 300, data_timeout = 180, tls_handshake_timeout = 30,
                 shutdown_timeout = 9;  // seconds
    std::int64_t inflight_memory_limit = 536870912, reverse_dns_timeout = 2, unknown_recipient_reply = 530;
    std::vector<std::string> tls_certificates;  // `certificate-path|key-path`, for further names
    std::vector<std::string> listeners;         // URLs; empty: one listener from default_bind_address and default_port
    std::vector<std::string> proxy_protocol_trusted, limits_exempt_networks;  // networks, checked
    std::int64_t max_connections_per_ip = 100, max_connections_per_credential = 500, connection_rate_per_ip = 300;
    std::int64_t max_auth_failures = 3, auth_failures_per_ip = 20, auth_failure_window = 600, auth_block_time = 900;
    std::int64_t data_min_rate = 500, proxy_header_timeout = 5, max_session_duration = 7200, tls_reload_interval = 60;
    bool smtputf8 = true, accept_any_return_path_domain = true, reject_multiple_from = false;
    std::string bare_newlines = "normalize";   // normalize, reject
    std::vector<std::string> auth_mechanisms;  // plain, login, cram-md5
  } smtp_server;
  struct {
    std::vector<std::string> mx_records;
    std::string spf_include, return_path_domain, route_domain, track_domain, helo_hostname, dkim_identifier;
    std::string domain_verify_prefix, custom_return_path_prefix, resolv_conf_path, dmarc_record;
    std::int64_t timeout = 5;
  } dns;
  struct {
    std::string host, username, password, authentication_type, openssl_verify_mode, from_name, from_address;
    std::int64_t port = 25;
    bool enable_starttls = false, enable_starttls_auto = true;
  } smtp;
  struct {
    std::string environment, secret_key;
  } rails;
  struct {
    std::int64_t open_timeout = 30, read_timeout = 30;  // seconds
  } smtp_client;
  struct {
    bool enabled = false;
    std::int64_t attempts = 120, sleep_time = 2;
  } migration_waiter;
  struct {
    std::string database;  // `sqlite` or `mariadb` once loaded
    std::string data_path;
    bool coexist_with_postal = false;
  } posthaste;
  struct {
    bool verp = true;
    double retry_jitter = 0.1;
    double retry_scale = 1.0;  // multiplies every retry delay; for tests
  } delivery;
  struct Scanner {
    bool enabled = false;
    std::string host = "127.0.0.1";
    std::int64_t port = 0, max_message_size = 0;  // bytes; 0: any
  } spamd, clamav;
  struct : Scanner {
    bool ssl = false;
    std::string password, flags, score = "symbols";  // symbols, total
  } rspamd;
  struct {
    std::int64_t concurrency = 10;
  } inspection;
  struct {
    std::int64_t max_body_size = 67108864;
    std::string v1_invalid_recipients;  // store, reject
    bool keep_message_id = false;
    std::int64_t max_message_size = 0;   // bytes; 0: only the body limit
    std::int64_t max_recipients = 1000;  // entries of send/raw's rcpt_to
  } api;
  struct {
    std::string bots = "count";       // count, flag, ignore
    std::string ip = "full";          // full, truncated, none
    std::string user_agent = "full";  // full, family, none
  } tracking;
  struct {
    std::int64_t timeout = 5, concurrency = 256, per_endpoint = 8;
    std::vector<std::string> extended_retries;
  } webhooks;
  struct {
    std::int64_t port = 0;  // one health listener for all roles of the process; 0: none
    std::string bind_address;
  } health;

  bool sqlite() const { return posthaste.database == "sqlite"; }
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
// The process's variables; behind them those of `.env` in the current directory.
Environment process_environment();
// `base` with the variables of a dotenv text behind it.
Environment with_dotenv(Environment base, std::string_view dotenv);

struct LoadOptions {
  std::optional<std::string> path;  // --config
  Environment environment = process_environment();
};

struct Loaded {
  Config config;
  std::vector<std::string> warnings;  // unknown keys, doubtful values; one line each
  std::vector<std::string> notices;   // which file was read; for standard error, empty when silenced
};

// Reads file and environment. On failure: all errors, one line each, `<source>: <key>: <what>`; exit status 3.
std::expected<Loaded, std::vector<std::string>> load(const LoadOptions& options);

// Every key with its value as text (secrets masked unless asked for) and where it came from.
struct ShownSetting {
  std::string key, value, source, description;
};
std::vector<ShownSetting> show(const LoadOptions& options, bool reveal_secrets);

// A complete YAML file with all keys at their defaults and their texts as comments.
std::string sample();

// The file's settings in the current format, environment left aside, and what could not be carried over.
struct Converted {
  std::string yaml;
  std::vector<std::string> left_out;
};
std::expected<Converted, std::vector<std::string>> convert(const LoadOptions& options);

// The reference page docs/configuration.md.
std::string reference_markdown();

// Variables of the process that replace the default port and address of the role that runs: PORT and BIND_ADDRESS,
// HEALTH_SERVER_PORT and HEALTH_SERVER_BIND_ADDRESS. An empty variable counts as absent; a port that is none is an
// error.
struct ListenOverrides {
  std::optional<int> port, health_port;
  std::optional<std::string> bind_address, health_bind_address;
};
std::expected<ListenOverrides, std::vector<std::string>> listen_overrides(const Environment& environment);

// One relay: `smtp://[user:password@]host[:port][?ssl_mode=Auto]`, `smtps://...` (TLS, port 465) or `host[:port]`.
// The error says what is wrong with it.
std::expected<Relay, std::string> parse_relay(std::string_view text);

}  // namespace posthaste::config
