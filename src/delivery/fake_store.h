// A store in memory for this room's tests: what the pipeline reads, and a record of what it concluded. Test code only.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>

#include "store/store.h"

namespace posthaste::delivery::testing {

using namespace posthaste::store;

class FakeDirectory : public Directory {
 public:
  std::map<Id, Server> servers_by_id;
  std::map<Id, Domain> domains_by_id;
  std::map<Id, Credential> credentials_by_id;
  std::map<Id, IpAddressRow> addresses_by_id;
  std::map<Id, Route> routes_by_id;
  std::map<Id, HttpEndpoint> http_endpoints;
  std::map<Id, SmtpEndpoint> smtp_endpoints;
  std::map<Id, AddressEndpoint> address_endpoints;
  std::vector<const Webhook*> hooks;
  std::vector<std::string> hosted;
  std::optional<TrackDomain> track;
  bool is_suspended = false;

  const Organization* organization(Id) const override { return nullptr; }
  const Organization* organization(std::string_view) const override { return nullptr; }
  const Server* server(Id id) const override { return find(servers_by_id, id); }
  const Server* server_by_token(std::string_view) const override { return nullptr; }
  const Server* server(std::string_view, std::string_view) const override { return nullptr; }
  std::vector<const Server*> servers() const override { return {}; }
  bool suspended(const Server&) const override { return is_suspended; }
  std::string path(const Server&) const override { return "org/server"; }
  const Credential* credential(Id id) const override { return find(credentials_by_id, id); }
  const Credential* credential_by_key(CredentialType, std::string_view) const override { return nullptr; }
  std::vector<const Credential*> smtp_credentials(Id) const override { return {}; }
  const Credential* credential_by_ip(const IpAddress&) const override { return nullptr; }
  const Domain* domain(Id id) const override { return find(domains_by_id, id); }
  const Domain* hosted_domain(std::string_view name) const override {
    static const Domain some;
    return std::ranges::find(hosted, name) == hosted.end() ? nullptr : &some;
  }
  const Domain* sending_domain(const Server&, std::string_view) const override { return nullptr; }
  std::vector<const Domain*> domains() const override { return {}; }
  const Route* route(Id id) const override { return find(routes_by_id, id); }
  const HttpEndpoint* http_endpoint(Id id) const override { return find(http_endpoints, id); }
  const SmtpEndpoint* smtp_endpoint(Id id) const override { return find(smtp_endpoints, id); }
  const AddressEndpoint* address_endpoint(Id id) const override { return find(address_endpoints, id); }
  const Route* route_by_token(std::string_view) const override { return nullptr; }
  const Route* route_for(std::string_view, std::string_view) const override { return nullptr; }
  const Route* return_path_route(Id) const override { return nullptr; }
  const IpAddressRow* ip_address(Id id) const override { return find(addresses_by_id, id); }
  std::vector<const Webhook*> webhooks(Id, std::string_view) const override { return hooks; }
  const TrackDomain* track_domain(Id, Id) const override { return track ? &*track : nullptr; }

 private:
  template <class Row>
  static const Row* find(const std::map<Id, Row>& rows, Id id) {
    const auto at = rows.find(id);
    return at == rows.end() ? nullptr : &at->second;
  }
};

class FakeStore : public Store {
 public:
  std::shared_ptr<FakeDirectory> dir = std::make_shared<FakeDirectory>();
  std::map<Id, Message> messages;
  std::map<Id, RawMessage> raws;
  std::map<Id, std::vector<Delivery>> rows;
  std::map<std::string, Suppression> suppressions;
  std::size_t hard_fails = 0;
  std::int64_t sent = 0, received = 0;
  SendLimitState send_limit_state = SendLimitState::Below;
  bool reported_before = false;
  std::vector<Id> unqueued;  // by queue_delete
  std::deque<QueuedMessage> claimable;
  std::vector<QueueEntry> entries;
  std::vector<std::pair<std::string, Id>> used_endpoints;
  std::vector<Write> written;  // none of them is run
  Result<> write_answer;
  std::function<void()> on_read;  // throws, to be a database that is away

  std::shared_ptr<const Directory> directory() const override { return dir; }
  void reload_directory() override {}
  void poll_changes() override {}
  void accept(Submission submission, bool, AcceptDone done) override {
    Stored stored;
    {
      std::lock_guard lock(mutex_);
      for (const NewMessage& added : submission.messages) {
        const Id id = messages.empty() ? 1 : messages.rbegin()->first + 1;
        Message& message = messages[id];
        message.id = id;
        message.token = added.token;
        message.scope = to_text(added.scope);
        message.rcpt_to = added.rcpt_to;
        message.mail_from = added.mail_from;
        message.subject = added.subject;
        message.message_id = added.message_id;
        message.domain_id = added.domain_id;
        message.bounce = added.bounce;
        message.bounce_for_id = added.bounce_for_id.value_or(0);
        message.timestamp = submission.timestamp;
        message.raw_table = "raw-2026-01-01";
        raws.insert_or_assign(id, submission.raw);
        stored.messages.push_back({id, id, added.token});
      }
    }
    done(std::move(stored));
  }
  std::vector<QueuedMessage> claim(std::size_t limit, const std::vector<Id>&,
                                   const std::vector<Site>& passed_over) override {
    std::lock_guard lock(mutex_);
    std::vector<QueuedMessage> taken;
    std::deque<QueuedMessage> left;
    for (auto& message : claimable) {
      const bool passed =
          std::ranges::find(passed_over, Site{message.domain, message.ip_address_id}) != passed_over.end();
      if (passed || taken.size() == limit)
        left.push_back(std::move(message));
      else
        taken.push_back(std::move(message));
    }
    claimable = std::move(left);
    return taken;
  }
  std::optional<Time> next_due() override {
    std::lock_guard lock(mutex_);
    return claimable.empty() ? std::nullopt : std::optional(Time{});
  }
  void conclude(Conclusion conclusion, ConcludeDone done) override {
    {
      std::lock_guard lock(mutex_);
      if (conclusion.delivery) rows[conclusion.message_id].push_back(*conclusion.delivery);
      concluded_.push_back(std::move(conclusion));
    }
    done({});
  }
  void write(Write write, ConcludeDone done) override {
    {
      std::lock_guard lock(mutex_);
      written.push_back(std::move(write));
    }
    done(write_answer);
  }
  const std::string& lease() const override { return lease_; }
  bool heartbeat() override { return true; }
  std::size_t reclaim() override { return 0; }
  std::size_t release_all() override {
    released = true;
    return 0;
  }
  std::optional<Message> message(Id, Id id) override {
    if (on_read) on_read();
    std::lock_guard lock(mutex_);
    const auto at = messages.find(id);
    return at == messages.end() ? std::nullopt : std::optional(at->second);
  }
  std::optional<Message> message_by_token(Id, std::string_view token) override {
    std::lock_guard lock(mutex_);
    for (const auto& [id, message] : messages)
      if (message.token == token) return message;
    return std::nullopt;
  }
  std::optional<RawMessage> raw(Id, const Message& message) override {
    std::lock_guard lock(mutex_);
    const auto at = raws.find(message.id);
    return at == raws.end() ? std::nullopt : std::optional(at->second);
  }
  std::vector<Delivery> deliveries(Id, Id id) override {
    std::lock_guard lock(mutex_);
    return rows[id];
  }
  std::optional<Suppression> suppression(Id, std::string_view address, Time now) override {
    std::lock_guard lock(mutex_);
    const auto at = suppressions.find(std::string(address));
    if (at == suppressions.end() || at->second.keep_until < now) return std::nullopt;
    return at->second;
  }
  std::size_t hard_fails_since(Id, std::string_view, Time) override { return hard_fails; }
  std::optional<Message> sent_message(Id, std::string_view message_id, std::string_view rcpt_to, Time) override {
    std::lock_guard lock(mutex_);
    for (const auto& [id, message] : messages)
      if (message.scope == "outgoing" && message.message_id == message_id && message.rcpt_to == rcpt_to) return message;
    return std::nullopt;
  }
  std::optional<Id> bounce_made_for(Id, Id id) override {
    std::lock_guard lock(mutex_);
    for (const auto& [made, message] : messages)
      if (message.scope == "outgoing" && message.bounce && message.bounce_for_id == id) return made;
    return std::nullopt;
  }
  std::size_t bounces_made_since(Id, std::string_view rcpt_to, Time since) override {
    std::lock_guard lock(mutex_);
    return std::size_t(std::ranges::count_if(messages, [&](const auto& entry) {
      const Message& m = entry.second;
      return m.scope == "outgoing" && m.bounce && m.rcpt_to == rcpt_to && m.timestamp > since;
    }));
  }
  bool reported_since(Id, Id, const BounceReport&, Time) override { return reported_before; }
  std::int64_t sent_last_hour(Id, Time) override { return sent; }
  void note_send_limit(Id, SendLimitState state, Time) override { send_limit_state = state; }
  void count_sent(Id, Time) override {
    std::lock_guard lock(mutex_);
    ++sent;
  }
  void count_received(Id, Time) override {
    std::lock_guard lock(mutex_);
    ++received;
  }
  std::vector<QueueEntry> queue(const QueueFilter&) override { return entries; }
  std::size_t queue_retry_now(const QueueFilter&) override { return 0; }
  std::size_t queue_delete(const QueueFilter& filter) override {
    unqueued.push_back(filter.message_id.value_or(0));
    return 1;
  }
  Result<Requeued> requeue(Id, Id) override { return fail(ErrorKind::NotFound, ""); }
  QueueNumbers queue_numbers() override { return {}; }
  void change(const std::function<void(sql::Connection&)>&) override {}
  void read(const std::function<void(sql::Connection&)>&) override {}
  std::string main(std::string_view sql) const override { return std::string(sql); }
  void change_messages(Id, const std::function<void(sql::Connection&)>&) override {}
  void read_messages(Id, const std::function<void(sql::Connection&)>&) override {}
  std::string message(Id, std::string_view sql) const override { return std::string(sql); }
  Result<> provision(Id) override { return {}; }
  void drop(Id) override {}
  void note_credential_used(Id, Time) override {}
  void note_endpoint_used(std::string_view type, Id id, Time) override {
    std::lock_guard lock(mutex_);
    used_endpoints.emplace_back(type, id);
  }
  bool healthy() const override { return true; }
  void close() override {}

  void add_claimable(std::vector<QueuedMessage> more) {
    std::lock_guard lock(mutex_);
    std::ranges::move(more, std::back_inserter(claimable));
  }
  std::vector<Conclusion> concluded() {
    std::lock_guard lock(mutex_);
    return concluded_;
  }
  std::atomic<bool> released{false};

 private:
  std::mutex mutex_;
  std::vector<Conclusion> concluded_;
  std::string lease_ = "posthaste test 1";
};

// An outgoing message that nothing is wrong with: message and server 1, domain example.com.
inline QueuedMessage add_message(FakeStore& store, Id id, const std::string& rcpt_to, Id server = 1) {
  Server& row = store.dir->servers_by_id[server];
  row.id = server;
  row.token = "abcdef";
  Domain& domain = store.dir->domains_by_id[1];
  domain.id = 1;
  domain.name = "example.com";
  Message message;
  message.id = id;
  message.token = "tokentokentoken1";
  message.scope = "outgoing";
  message.rcpt_to = rcpt_to;
  message.mail_from = "a@example.com";
  message.domain_id = 1;
  message.status = "Pending";
  message.raw_table = "raw-2026-01-01";
  store.messages[id] = message;
  store.raws.insert_or_assign(id, RawMessage("From: a@example.com\r\nSubject: x\r\n\r\nHi\r\n"));
  QueuedMessage queued;
  queued.server_id = server;
  queued.message_id = queued.queue_id = id;
  queued.domain = rcpt_to.substr(rcpt_to.rfind('@') + 1);
  return queued;
}

}  // namespace posthaste::delivery::testing
