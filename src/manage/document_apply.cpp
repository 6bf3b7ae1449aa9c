// plan and apply. Every phase is tried first: what changes nothing is not written, and keys are made before the
// transaction that stores them begins.
#include <algorithm>
#include <atomic>
#include <thread>

#include "base/strings.h"
#include "manage/document_put_parts.h"
#include "trust/dkim.h"

namespace posthaste::manage {

namespace {

std::string shown_permalink(const Tree& tree) {
  auto permalink = tree.find("permalink");
  return permalink && permalink->text() ? *permalink->text() : "";
}

std::vector<std::string> make_keys(std::size_t count) {
  std::vector<std::string> keys(count);
  std::atomic<std::size_t> next{0};
  auto make = [&] {
    for (std::size_t i; (i = next++) < keys.size();) keys[i] = trust::SigningKey::generate_rsa_pem(kDkimBits);
  };
  std::vector<std::jthread> helpers;
  auto threads = std::min<std::size_t>(count, std::max(1u, std::thread::hardware_concurrency()));
  for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(make);
  make();
  helpers.clear();  // joins
  return keys;
}

// What a phase was about, beside its tree.
struct Outcome {
  Tree tree;
  std::vector<DocumentChange> changes;
  std::vector<Id> new_track_domains;
  std::vector<Id> ids;  // of the organizations or servers, in order
};

template <class Phase>
Result<Outcome> run_phase(const Context& context, bool prune, Phase&& phase) {
  auto run = [&](Work& work) -> Result<Outcome> {
    Putter putter(work, prune);
    Outcome outcome;
    Result<Tree> tree = phase(putter, outcome.ids);
    if (!tree) return std::unexpected(tree.error());
    outcome.tree = std::move(*tree);
    outcome.changes = std::move(putter.changes);
    outcome.new_track_domains = std::move(putter.new_track_domains);
    return outcome;
  };
  std::size_t keys_wanted = 0;
  auto tried = in_trial(context, [&](Work& work) {
    auto outcome = run(work);
    keys_wanted = work.dkim_keys_wanted;
    return outcome;
  });
  if (!tried || tried->changes.empty()) return tried;
  auto keys = make_keys(keys_wanted);
  return in_change(context, [&](Work& work) {
    work.dkim_keys = keys;
    return run(work);
  });
}

template <class T>
Result<> put_all(const Named<T>& items, std::string key, Tree& out, auto&& put_one) {
  if (!items) return {};
  Tree::List list;
  for (const auto& item : *items) {
    Result<Tree> put = put_one(item);
    if (!put) return std::unexpected(put.error());
    list.push_back(std::move(*put));
  }
  out.set(std::move(key), Tree(std::move(list)));
  return {};
}

// Users, IP pools, and organizations without their mail servers.
Result<Tree> put_top(Putter& putter, const Document& document, std::vector<Id>& organization_ids) {
  Tree out{Tree::Map()};
  auto done = put_all(document.users, "users", out, [&](const auto& item) { return putter.user(item); });
  if (done) done = put_all(document.ip_pools, "ip_pools", out, [&](const auto& item) { return putter.ip_pool(item); });
  if (done)
    done = put_all(document.organizations, "organizations", out, [&](const auto& item) {
      auto put = putter.organization(item);
      organization_ids.push_back(putter.last_id);
      return put;
    });
  if (!done) return std::unexpected(done.error());
  return out;
}

void note_suppressions(std::vector<DocumentChange>& changes, std::string_view server, const SuppressionChanges& what) {
  for (const auto& address : what.added)
    changes.push_back({"create", "suppression", fmt::format("{} {}", server, address), ""});
  for (const auto& address : what.changed)
    changes.push_back({"update", "suppression", fmt::format("{} {}", server, address), "reason"});
  for (const auto& address : what.removed)
    changes.push_back({"remove", "suppression", fmt::format("{} {}", server, address), ""});
}

Result<> put_suppressions(const Context& context, const ServerItem& item, Id server_id, std::string_view path,
                          bool prune, Tree& out, std::vector<DocumentChange>& changes) {
  if (!item.suppressions) return {};
  auto done = set_suppressions(context, server_id, *item.suppressions, prune);
  if (!done) return std::unexpected(located(done.error(), item.path + ".suppressions", item.line));
  note_suppressions(changes, path, *done);
  auto present = suppressions_of(context, server_id);
  Tree::List list;
  for (const auto& wanted : *item.suppressions)
    for (const auto& entry : present)
      if (iequals(entry.address, wanted.address)) list.push_back(write_suppression(entry));
  out.set("suppressions", Tree(std::move(list)));
  return {};
}

Result<Tree> apply_server(const Context& context, const ServerItem& item, std::string_view organization,
                          Id organization_id, bool prune, Applied& applied) {
  auto outcome = run_phase(context, prune, [&](Putter& putter, std::vector<Id>& ids) {
    auto put = putter.server(item, organization, organization_id);
    ids.push_back(putter.last_id);
    return put;
  });
  if (!outcome) return std::unexpected(outcome.error());
  std::ranges::move(outcome->changes, std::back_inserter(applied.changes));
  std::ranges::move(outcome->new_track_domains, std::back_inserter(applied.new_track_domains));
  auto path = fmt::format("{}/{}", organization, shown_permalink(outcome->tree));
  auto done = put_suppressions(context, item, outcome->ids.front(), path, prune, outcome->tree, applied.changes);
  if (!done) return std::unexpected(done.error());
  return std::move(outcome->tree);
}

// The suppressions of a mail server that is there already; of a new one all are new.
Result<> plan_suppressions(const Context& context, const ServerItem& item, std::string_view path, bool is_new,
                           Id server_id, bool prune, std::vector<DocumentChange>& changes) {
  if (!item.suppressions) return {};
  SuppressionChanges what;
  if (is_new) {
    for (const auto& entry : *item.suppressions) what.added.push_back(entry.address);
  } else {
    auto compared = compare_suppressions(context, server_id, *item.suppressions, prune);
    if (!compared) return std::unexpected(located(compared.error(), item.path + ".suppressions", item.line));
    what = std::move(*compared);
  }
  note_suppressions(changes, path, what);
  return {};
}

}  // namespace

std::string DocumentChange::text() const {
  return fmt::format("{} {} {}{}{}", action, kind, name, details.empty() ? "" : ": ", details);
}

Result<Applied> apply_document(const Context& context, const Document& document, bool prune) {
  Applied applied;
  auto top =
      run_phase(context, prune, [&](Putter& putter, std::vector<Id>& ids) { return put_top(putter, document, ids); });
  if (!top) return std::unexpected(top.error());
  applied.changes = std::move(top->changes);
  applied.document = std::move(top->tree);

  for (std::size_t i = 0; document.organizations && i < document.organizations->size(); ++i) {
    const auto& item = (*document.organizations)[i];
    Tree& out = applied.document.at("organizations").item(i);
    auto permalink = shown_permalink(out);
    auto done = put_all(item.servers, "servers", out, [&](const ServerItem& server) {
      return apply_server(context, server, permalink, top->ids[i], prune, applied);
    });
    if (!done) return std::unexpected(done.error());
  }
  if (!prune) return applied;
  auto removed = run_phase(context, prune, [&](Putter& putter, std::vector<Id>&) -> Result<Tree> {
    if (auto done = putter.remove_others(document); !done) return std::unexpected(done.error());
    return Tree();
  });
  if (!removed) return std::unexpected(removed.error());
  std::ranges::move(removed->changes, std::back_inserter(applied.changes));
  return applied;
}

Result<std::vector<DocumentChange>> plan_document(const Context& context, const Document& document, bool prune) {
  return in_trial(context, [&](Work& work) -> Result<std::vector<DocumentChange>> {
    Putter putter(work, prune);
    std::vector<Id> organizations;
    auto top = put_top(putter, document, organizations);
    if (!top) return std::unexpected(top.error());
    for (std::size_t i = 0; i < organizations.size(); ++i) {
      auto permalink = shown_permalink(top->at("organizations").item(i));
      const auto& servers = (*document.organizations)[i].servers;
      for (const auto& item : servers ? *servers : std::vector<ServerItem>()) {
        auto before = putter.changes.size();
        auto put = putter.server(item, permalink, organizations[i]);
        if (!put) return std::unexpected(put.error());
        bool is_new = putter.changes.size() > before && putter.changes[before].action == "create" &&
                      putter.changes[before].kind == "server";
        auto path = fmt::format("{}/{}", permalink, shown_permalink(*put));
        auto done = plan_suppressions(context, item, path, is_new, putter.last_id, prune, putter.changes);
        if (!done) return std::unexpected(done.error());
      }
    }
    if (prune)
      if (auto done = putter.remove_others(document); !done) return std::unexpected(done.error());
    return std::move(putter.changes);
  });
}

}  // namespace posthaste::manage
