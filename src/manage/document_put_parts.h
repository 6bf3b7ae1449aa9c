// What the files of Putter share.
#pragma once

#include <set>

#include "base/strings.h"
#include "manage/document_put.h"
#include "manage/document_write.h"
#include "manage/problems.h"

namespace posthaste::manage {

inline constexpr WriteOptions kAppliedOptions{.ids = true, .keys = true, .secrets = false};

// Says where in the document the error lies.
inline Error located(const Error& error, const std::string& path, int line) {
  std::vector<std::string> messages;
  for (const auto& message : error_messages(error))
    messages.push_back(fmt::format("line {}: {}: {}", line, path, message));
  return {error.kind, join(messages, "; "), error.cause};
}

// Differences that are not columns.
inline void more_differences(const auto&, const auto&, std::vector<std::string>&) {}
inline void more_differences(const WebhookFields& before, const WebhookFields& after, std::vector<std::string>& names) {
  if (!before.events.same(after.events)) names.emplace_back("events");
}
inline void more_differences(const RouteFields& before, const RouteFields& after, std::vector<std::string>& names) {
  if (!before.additional.same(after.additional)) names.emplace_back("additional");
}

// Suspended or not as the item says, if it does; one that is suspended already keeps its time.
template <class Row>
void put_suspension(auto& item, const std::optional<Row>& found, Time now) {
  if (!item.suspended.given()) return;
  item.fields.suspension_reason = item.suspended;
  const bool suspended = found && found->fields.suspended_at.has_value();
  if (!item.suspended.has_value()) item.fields.suspended_at = std::nullopt;
  if (item.suspended.has_value() && !suspended) item.fields.suspended_at = now;
}

inline void Putter::note(std::string action, std::string kind, std::string name, std::vector<std::string> details) {
  changes.push_back({std::move(action), std::move(kind), std::move(name), join(details, ", ")});
}

template <class Row, class Create, class Update>
Result<Row> Putter::put(std::string_view kind, std::string name, const auto& item, const std::optional<Row>& found,
                        Create&& create, Update&& update) {
  if (!found) {
    if (!item.uuid.empty() && work_.exists(fmt::format("SELECT `id` FROM {{main}}`{}` WHERE `uuid` = ?",
                                                       std::remove_cvref_t<decltype(item.fields)>::kTable),
                                           {item.uuid}))
      return std::unexpected(located({ErrorKind::Invalid, "UUID has already been taken", ""}, item.path, item.line));
    Result<Row> made = create(item.fields);
    if (!made) return std::unexpected(located(made.error(), item.path, item.line));
    note("create", std::string(kind), std::move(name));
    return made;
  }
  Result<Row> row = update(found->id, item.fields);
  if (!row) return std::unexpected(located(row.error(), item.path, item.line));
  auto names = differences(found->fields, row->fields);
  more_differences(found->fields, row->fields, names);
  if (!names.empty()) note("update", std::string(kind), std::move(name), std::move(names));
  return row;
}

template <class T>
Result<> Putter::put_list(const Named<T>& items, std::string key, Tree& out, auto&& put_one) {
  if (!items) return {};
  Tree::List list;
  for (const auto& item : *items) {
    Result<Tree> put = put_one(item);
    if (!put) return std::unexpected(std::move(put.error()));
    list.push_back(std::move(*put));
  }
  out.set(std::move(key), Tree(std::move(list)));
  return {};
}

template <class Rows>
Result<> Putter::remove_rows(const Tree& put, std::string_view key, std::string_view kind, const Rows& rows,
                             auto&& name_of, auto&& remove) {
  auto named = put.find(key);
  if (!prune_ || !named) return {};
  std::set<Id> kept;
  for (const auto& item : *named->list()) kept.insert(*item.find("id")->integer());
  for (const auto& row : rows) {
    if (kept.contains(row.id)) continue;
    if (Result<> removed = remove(row.id); !removed) return removed;
    note("remove", std::string(kind), name_of(row));
  }
  return {};
}

}  // namespace posthaste::manage
