// messages/message and messages/deliveries (http-api.md 9, 10).
#include "api/v1/call.h"
#include "api/v1/expansions.h"
#include "api/v1/text.h"
#include "base/strings.h"

namespace posthaste::api::v1 {

namespace {

// Which message is meant: an id, or a token.
struct Lookup {
  std::optional<store::Id> id;
  std::string token;
};

std::expected<Lookup, Answer> read_lookup(const Json& parameters) {
  const Json& id = parameters["id"];
  if (id.blank()) return std::unexpected(missing_parameter("id"));
  if (const auto* number = id.integer()) return Lookup{.id = *number};
  const std::string* text = id.text() ? id.text() : id["token"].text();
  if (id.text())
    if (const auto number = parse_int(*text)) return Lookup{.id = number};
  const bool token =
      text && text->size() == 16 && std::ranges::all_of(*text, [](unsigned char c) { return std::isalnum(c); });
  if (!token) return std::unexpected(invalid_parameter("id"));
  return Lookup{.token = *text};
}

Answer not_found(const Lookup& lookup) {
  auto data = writer();
  data.begin_object().field("message", "No message found matching provided ID").key("id");
  lookup.id ? data.value(*lookup.id) : data.value(lookup.token);
  return error("MessageNotFound", std::move(data));
}

std::optional<store::Message> find(store::Store& store, store::Id server, const Lookup& lookup) {
  if (!lookup.id) return store.message_by_token(server, lookup.token);
  return *lookup.id > 0 ? store.message(server, *lookup.id) : std::nullopt;
}

void add_delivery(JsonWriter& json, const store::Delivery& delivery, bool modern) {
  const auto text_or_null = [&](std::string_view name, std::string_view text, bool never_null) {
    json.key(name);
    text.empty() && !never_null ? json.null() : json.value(text);
  };
  json.begin_object().field("id", delivery.id).field("status", delivery.status).field("details", delivery.details);
  text_or_null("output", trim(delivery.output), false);
  json.field("sent_with_ssl", delivery.sent_with_ssl);
  text_or_null("log_id", delivery.log_id, modern);
  json.field("time", delivery.seconds || !modern ? delivery.seconds : std::optional(0.0));
  json.key("timestamp").raw(unix_seconds(delivery.timestamp));
  json.field("code", delivery.code).end_object();
}

std::string describe_deliveries(std::vector<store::Delivery> deliveries, bool modern) {
  std::ranges::stable_sort(deliveries, {}, &store::Delivery::timestamp);
  auto json = writer();
  json.begin_array();
  for (const auto& delivery : deliveries) add_delivery(json, delivery, modern);
  return json.end_array().take();
}

}  // namespace

io::Task<Answer> messages_message(Call call) {
  auto lookup = read_lookup(call.parameters);
  if (!lookup) co_return std::move(lookup.error());
  // Reading and describing block, so both happen on the pool.
  auto work = [&store = call.around.store, server = call.server.id, lookup = *lookup,
               expansions = call.parameters["_expansions"]]() -> Answer {
    const auto message = find(store, server, lookup);
    if (!message) return not_found(lookup);
    const auto raw = wants_raw(expansions) ? store.raw(server, *message) : std::nullopt;
    const auto activity = wanted(expansions, Expansion::ActivityEntries) ? store::activity(store, server, message->id)
                                                                         : store::Activity{};
    return success(describe_message(*message, raw, activity, expansions));
  };
  auto task = call.around.pool.run(std::move(work));
  Answer answer = co_await std::move(task);
  co_return answer;
}

io::Task<Answer> messages_deliveries(Call call) {
  auto lookup = read_lookup(call.parameters);
  if (!lookup) co_return std::move(lookup.error());
  auto work = [&store = call.around.store, server = call.server.id, lookup = *lookup,
               modern = call.modern()]() -> Answer {
    const auto message = find(store, server, lookup);
    if (!message) return not_found(lookup);
    return success(describe_deliveries(store.deliveries(server, message->id), modern));
  };
  auto task = call.around.pool.run(std::move(work));
  Answer answer = co_await std::move(task);
  co_return answer;
}

}  // namespace posthaste::api::v1
