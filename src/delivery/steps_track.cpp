// The step `track` of the outgoing pipeline (outbound-delivery.md section 15): links and pixel are put in once, and are
// in the database before the mail can leave.
#include <future>

#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"
#include "delivery/steps.h"
#include "mail/track_links.h"
#include "store/tracked_message.h"

namespace posthaste::delivery {

namespace {

constexpr std::size_t kLinkToken = 16;
constexpr auto kLongestWait = std::chrono::seconds(30);

void add_lines(std::vector<std::string>& to, std::string_view lines) {
  for (const std::string_view line : split(lines, '\n'))
    if (!is_blank(line)) to.emplace_back(trim(line));
}

mail::TrackRules rules_for(const Attempt& attempt) {
  mail::TrackRules rules;
  const auto* track = attempt.directory->track_domain(attempt.server->id, attempt.domain->id);
  if (!track) return rules;
  rules.clicks = track->track_clicks;
  rules.loads = track->track_loads;
  rules.host = track->name + "." + attempt.domain->name;
  const std::string base = fmt::format("{}://{}/", track->ssl_enabled ? "https" : "http", rules.host);
  rules.link_prefix = fmt::format("{}{}/", base, attempt.server->token);
  rules.pixel_url = fmt::format("{}img/{}/{}", base, attempt.server->token, attempt.message.token);
  add_lines(rules.excluded, track->excluded_click_domains);
  add_lines(rules.excluded, attempt.server->domains_not_to_click_track.value_or(""));
  return rules;
}

store::TrackedMessage row_of(const Attempt& attempt, const Tools& tools, mail::TrackResult& result) {
  store::TrackedMessage row;
  row.server_id = attempt.queued().server_id;
  row.message_id = attempt.message.id;
  row.raw_table = attempt.message.raw_table;
  row.headers = std::move(result.headers);
  row.body = std::move(result.body);
  for (auto& [token, url] : result.links) row.links.push_back({std::move(token), std::move(url)});
  row.images = result.images;
  row.now = tools.clock();
  row.in_place = tools.config.posthaste.coexist_with_postal;
  return row;
}

// Waits for the commit. False: this message's rows cannot be written, whatever the reason. While the database is away
// the message waits with it, but not a thread that a shutdown waits for: then it throws, and what was written by then
// is found at the next try.
bool write_and_wait(store::Store& store, store::Write write) {
  auto done = std::make_shared<std::promise<Result<>>>();
  auto answer = done->get_future();
  store.write(std::move(write), [done](Result<> result) { done->set_value(std::move(result)); });
  const auto until = std::chrono::steady_clock::now() + kLongestWait;
  while (answer.wait_for(std::chrono::seconds(1)) != std::future_status::ready)
    if (!store.healthy() || std::chrono::steady_clock::now() > until)
      throw sql::Failure(sql::FailureKind::Unreachable, "links of a message could not be stored in time");
  const auto result = answer.get();
  if (result) return true;
  if (result.error().kind == ErrorKind::Unavailable)
    throw sql::Failure(sql::FailureKind::Unreachable, result.error().cause);
  log::error("worker", "links cannot be stored; the message goes out without them", {{"error", result.error().cause}});
  return false;
}

// As the table has it now: its raw rows are other ones.
Answer read_again(Attempt& attempt, Tools& tools) {
  auto message = tools.store.message(attempt.queued().server_id, attempt.message.id);
  if (!message) return done();
  attempt.message = std::move(*message);
  return go_on();
}

}  // namespace

Answer track(Attempt& attempt, Tools& tools) {
  if (attempt.message.parsed) return go_on();
  auto result = mail::track_links(attempt.raw->headers(), attempt.raw->body(), rules_for(attempt),
                                  [] { return random_alphanumeric(kLinkToken); });
  attempt.conclusion.parsed = true;
  if (!result.changed()) return go_on();

  const auto row = std::make_shared<const store::TrackedMessage>(row_of(attempt, tools, result));
  const auto before = std::make_shared<store::TrackedBefore>(store::TrackedBefore::No);
  if (!write_and_wait(tools.store, store::tracked_message_write(row, before))) return go_on();
  if (*before == store::TrackedBefore::MessageGone) return done();
  auto answer = read_again(attempt, tools);
  if (answer.kind != Answer::Kind::GoOn) return answer;
  if (*before == store::TrackedBefore::Yes) {
    attempt.raw = tools.store.raw(attempt.queued().server_id, attempt.message);
    return attempt.raw ? go_on() : failed("Raw message has been removed. Cannot send message.");
  }
  const auto& old = *attempt.raw;
  attempt.raw =
      store::RawMessage(fmt::format("{}\r\n\r\n{}", row->headers ? std::string_view(*row->headers) : old.headers(),
                                    row->body ? std::string_view(*row->body) : old.body()));
  return go_on();
}

}  // namespace posthaste::delivery
