#include "inspection/inspector.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/version.h"
#include "inspection/breaker.h"
#include "inspection/clients.h"
#include "io/oneshot.h"

namespace posthaste::inspection {

namespace {

constexpr auto kSpamdTime = 15s;
constexpr auto kRspamdTime = 10s;
constexpr auto kClamdTime = 10s;

struct Scanner {
  Scanner(std::string scanner_name, const std::string& host, std::int64_t port, std::int64_t most, io::Pool& pool)
      : name(std::move(scanner_name)), dialer(place_of(host, port), pool), breaker(name), max_size(std::size_t(most)) {}

  const std::string name;
  Dialer dialer;
  Breaker breaker;
  const std::size_t max_size;  // bytes; 0: any

  bool takes(const store::RawMessage& raw) const { return max_size == 0 || raw.size() <= max_size; }
};

const metrics::Counter& inspections() {
  static const metrics::Counter counter(metrics::Part::Worker, "posthaste_inspections_total",
                                        "Messages given to a scanner, by what came of it", true);
  return counter;
}

Rspamd rspamd_of(const config::Config& config) {
  Rspamd rspamd;
  rspamd.ssl = config.rspamd.ssl;
  rspamd.score = config.rspamd.score == "total" ? RspamdScore::Total : RspamdScore::Symbols;
  rspamd.password = config.rspamd.password;
  rspamd.flags = config.rspamd.flags;
  rspamd.mta_name = config.postal.smtp_hostname;
  rspamd.user_agent = config.profile == config::Profile::Postal ? "Postal" : fmt::format("Posthaste/{}", kVersion);
  return rspamd;
}

std::unique_ptr<io::HttpClient> http_client(io::Resolver& resolver, const std::string& host) {
  io::HttpClientOptions options;
  options.destinations.private_networks = true;
  options.destinations.allowed = {host};  // the operator's word, not a user's
  options.proxies = {};
  return io::make_http_client(resolver, std::move(options));
}

std::string too_large(const Scanner& scanner) {
  return fmt::format("the message is larger than {} bytes", scanner.max_size);
}

}  // namespace

struct Inspector::Scanners {
  io::Pool pool{1};  // looks names up
  std::optional<Scanner> spamd, rspamd, clamav;
  Rspamd rspamd_request;
  std::unique_ptr<io::HttpClient> http;

  io::Task<SpamScan> ask_for_spam(store::RawMessage raw, Subject subject);
  io::Task<SpamScan> spam(store::RawMessage raw, Subject subject);
  io::Task<VirusScan> threats(store::RawMessage raw);
};

bool scanners_configured(const config::Config& config) {
  return config.rspamd.enabled || config.spamd.enabled || config.clamav.enabled;
}

Inspector::Inspector(const config::Config& config, io::Resolver& resolver) {
  const auto& rspamd = config.rspamd;
  const auto& spamd = config.spamd;
  const auto& clamav = config.clamav;
  if (!scanners_configured(config)) return;
  scanners_ = std::make_shared<Scanners>();
  auto& all = *scanners_;
  if (rspamd.enabled) {
    all.rspamd.emplace("rspamd", rspamd.host, rspamd.port, rspamd.max_message_size, all.pool);
    all.rspamd_request = rspamd_of(config);
    all.http = http_client(resolver, rspamd.host);
  } else if (spamd.enabled) {
    all.spamd.emplace("spamd", spamd.host, spamd.port, spamd.max_message_size, all.pool);
  }
  if (clamav.enabled) all.clamav.emplace("clamd", clamav.host, clamav.port, clamav.max_message_size, all.pool);
}

// Scans that are under way may stay behind on loops that have stopped; the client's resolver may not.
Inspector::~Inspector() {
  if (scanners_) scanners_->http.reset();
}

io::Task<SpamScan> Inspector::Scanners::ask_for_spam(store::RawMessage raw, Subject subject) {
  if (rspamd) {
    Rspamd request = rspamd_request;
    co_return co_await ask_rspamd(*http, rspamd->dialer, std::move(request), std::move(raw), std::move(subject),
                                  kRspamdTime);
  }
  co_return co_await ask_spamd(spamd->dialer, std::move(raw), subject.incoming, kSpamdTime);
}

io::Task<SpamScan> Inspector::Scanners::spam(store::RawMessage raw, Subject subject) {
  Scanner& scanner = rspamd ? *rspamd : *spamd;
  SpamScan scan;
  if (!scanner.takes(raw)) {
    scan = without_score(Outcome::Skipped, "Not scanned for spam: " + too_large(scanner));
  } else if (!scanner.breaker.may_ask(Steady::now())) {
    scan = without_score(Outcome::Skipped, "Not scanned for spam: the scanner does not answer");
  } else {
    try {
      scan = co_await ask_for_spam(std::move(raw), std::move(subject));
    } catch (const std::exception& error) {
      log::error("worker", scanner.name + ": " + error.what());
      scan = without_score(Outcome::Failed, "Error when scanning for spam");
    }
    scanner.breaker.report(scan.outcome, Steady::now());
  }
  inspections().add({{"scanner", scanner.name}, {"outcome", std::string(to_text(scan.outcome))}});
  co_return scan;
}

io::Task<VirusScan> Inspector::Scanners::threats(store::RawMessage raw) {
  Scanner& scanner = *clamav;
  VirusScan scan;
  std::string reason = "the scanner does not answer";
  if (!scanner.takes(raw)) {
    scan.outcome = Outcome::Skipped;
    reason = too_large(scanner);
  } else if (!scanner.breaker.may_ask(Steady::now())) {
    scan.outcome = Outcome::Skipped;
  } else {
    reason = "the message is larger than the scanner takes";
    try {
      scan = co_await ask_clamd(scanner.dialer, std::move(raw), kClamdTime);
    } catch (const std::exception& error) {
      log::error("worker", scanner.name + ": " + error.what());
      scan.outcome = Outcome::Failed;
      scan.details = "Error when scanning for threats";
    }
    scanner.breaker.report(scan.outcome, Steady::now());
  }
  if (scan.outcome == Outcome::Skipped) {
    scan.details = "Not scanned for threats: " + reason;
    scan.checks.push_back({"SKIPPED", scan.details, 0});
  }
  inspections().add({{"scanner", scanner.name}, {"outcome", std::string(to_text(scan.outcome))}});
  co_return scan;
}

namespace {

io::Task<> look_for_threats(std::shared_ptr<Inspector::Scanners> scanners, store::RawMessage raw,
                            std::move_only_function<void(VirusScan)> done) {
  VirusScan scan = co_await scanners->threats(std::move(raw));
  done(std::move(scan));
}

}  // namespace

io::Task<store::Inspection> Inspector::inspect(store::RawMessage raw, Subject subject) {
  store::Inspection found;
  const auto scanners = scanners_;
  if (!scanners) co_return found;

  io::OneShot<VirusScan> threats;
  if (scanners->clamav) io::Loop::current()->spawn(look_for_threats(scanners, raw, threats.sender()), "virus scan");
  if (scanners->rspamd || scanners->spamd) {
    SpamScan spam = co_await scanners->spam(std::move(raw), std::move(subject));
    found.score = spam.score;
    found.checks = std::move(spam.checks);
  }
  if (scanners->clamav) {
    VirusScan scan = co_await threats;
    found.threat = scan.threat;
    found.threat_details = std::move(scan.details);
    std::ranges::move(scan.checks, std::back_inserter(found.checks));
  }
  co_return found;
}

}  // namespace posthaste::inspection
