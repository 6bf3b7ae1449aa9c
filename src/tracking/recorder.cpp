#include "tracking/recorder.h"

#include "base/log.h"
#include "base/metrics.h"
#include "events/requests.h"
#include "tracking/machines.h"

namespace posthaste::tracking {

namespace {

using namespace std::chrono_literals;
using store::HitClass;

constexpr std::size_t kBurst = 3;  // distinct links of a message within a second

const metrics::Counter& dropped() {
  static const metrics::Counter counter(metrics::Part::Web, "posthaste_tracking_dropped_total",
                                        "Clicks and opens that were answered and not recorded", true);
  return counter;
}

store::Machines machines_of(const config::Config& config) {
  if (config.tracking.bots == "ignore") return store::Machines::Ignore;
  return config.tracking.bots == "flag" ? store::Machines::Flag : store::Machines::Count;
}

std::string kept_address(const std::string& how, const IpAddress& ip) {
  if (how == "none") return {};
  return how == "truncated" ? truncated(ip).text() : ip.text();
}

std::string kept_agent(const std::string& how, const std::string& agent) {
  if (how == "none") return {};
  return how == "family" ? agent_family(agent) : agent;
}

std::vector<store::NewWebhookRequest> requests_for(const store::Directory& directory, const store::NewHit& hit,
                                                   const store::Message& message, HitClass hit_class) {
  const bool bot = hit_class != HitClass::Person;
  if (!hit.link)
    return events::loaded_requests(directory, hit.server_id, message, {hit.ip_address, hit.user_agent, bot});
  return events::clicked_requests(directory, hit.server_id, message,
                                  {hit.link->url, hit.link->token, hit.ip_address, hit.user_agent, bot});
}

}  // namespace

Recorder::Recorder(store::Store& store, const config::Config& config, Limits limits)
    : store_(store), config_(config), limits_(limits) {}

void Recorder::opened(store::Id server_id, std::string_view message_token, Visit visit) {
  if (!admits(visit) || is_repeated(server_id, message_token, visit)) return;
  store::NewHit hit;
  hit.server_id = server_id;
  hit.message_token = message_token;
  hit.hit_class = visit.hit_class;
  record(std::move(hit), visit);
}

void Recorder::clicked(store::Id server_id, const store::Link& link, Visit visit) {
  if (!link.message_id || !admits(visit)) return;
  store::NewHit hit;
  hit.server_id = server_id;
  hit.link = link;
  hit.hit_class = visit.hit_class;
  if (is_burst(server_id, link, visit.when) && hit.hit_class == HitClass::Person) hit.hit_class = HitClass::Scanner;
  record(std::move(hit), visit);
}

// A loop somewhere must not fill the table.
bool Recorder::admits(const Visit& visit) {
  const Time second = std::chrono::floor<std::chrono::seconds>(visit.when);
  const std::scoped_lock lock(mutex_);
  if (second != second_ || asked_.size() >= limits_.remembered) {
    second_ = second;
    asked_.clear();
  }
  if (++asked_[visit.ip.text()] <= limits_.per_second) return true;
  dropped().add({{"reason", "rate"}});
  return false;
}

bool Recorder::is_repeated(store::Id server_id, std::string_view message_token, const Visit& visit) {
  if (config_.profile != config::Profile::Modern) return false;
  std::string key =
      fmt::format("{}/{}/{}/{}", server_id, message_token, visit.ip.text(), std::hash<std::string>{}(visit.user_agent));
  const std::scoped_lock lock(mutex_);
  while (!opens_in_order_.empty() &&
         (opens_in_order_.front().first + limits_.fold <= visit.when || opens_in_order_.size() >= limits_.remembered)) {
    const auto& [when, oldest] = opens_in_order_.front();
    if (const auto found = opens_.find(oldest); found != opens_.end() && found->second == when) opens_.erase(found);
    opens_in_order_.pop_front();
  }
  const auto [at, fresh] = opens_.emplace(key, visit.when);
  if (fresh) opens_in_order_.emplace_back(visit.when, std::move(key));
  return !fresh;
}

bool Recorder::is_burst(store::Id server_id, const store::Link& link, Time when) {
  const std::scoped_lock lock(mutex_);
  if (bursts_.size() >= limits_.remembered) bursts_.clear();
  Burst& burst = bursts_[fmt::format("{}/{}", server_id, *link.message_id)];
  if (burst.begin + 1s <= when) burst = {when, {}};
  burst.links.insert(link.id);
  return burst.links.size() >= kBurst;
}

void Recorder::record(store::NewHit hit, const Visit& visit) {
  if (state_->pending.fetch_add(1) >= limits_.pending) {
    --state_->pending;
    dropped().add({{"reason", "queue"}});
    return;
  }
  hit.ip_address = kept_address(config_.tracking.ip, visit.ip);
  hit.user_agent = kept_agent(config_.tracking.user_agent, visit.user_agent);
  hit.when = visit.when;
  hit.machines = machines_of(config_);
  auto requests = [&store = store_](const store::NewHit& h, const store::Message& message, HitClass hit_class) {
    return requests_for(*store.directory(), h, message, hit_class);
  };
  auto done = [state = state_, server = hit.server_id](const Result<>& written) {
    --state->pending;
    if (written) {
      state->failing = false;
    } else if (!state->failing.exchange(true)) {
      log::error("tracking", "clicks and opens cannot be recorded",
                 {{"server", server}, {"error", written.error().text}, {"cause", written.error().cause}});
    }
  };
  store_.write(store::hit_write(std::move(hit), std::move(requests)), std::move(done));
}

}  // namespace posthaste::tracking
