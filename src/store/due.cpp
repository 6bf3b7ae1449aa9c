#include "store/due.h"

#include <algorithm>

namespace posthaste::store {

void DueNotes::note(Id server_id, Time due) {
  const std::scoped_lock lock(mutex_);
  const auto [at, is_new] = due_.emplace(server_id, due);
  if (!is_new) at->second = std::min(at->second, due);
}

std::vector<Id> DueNotes::take_due(Time now) {
  std::vector<std::pair<Time, Id>> found;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [server_id, due] : due_)
      if (due <= now) found.emplace_back(due, server_id);
    for (const auto& [due, server_id] : found) due_.erase(server_id);
  }
  std::ranges::sort(found);
  std::vector<Id> servers;
  for (const auto& [due, server_id] : found) servers.push_back(server_id);
  return servers;
}

std::optional<Time> DueNotes::next() const {
  const std::scoped_lock lock(mutex_);
  const auto first = std::ranges::min_element(due_, {}, [](const auto& entry) { return entry.second; });
  return first == due_.end() ? std::nullopt : std::optional(first->second);
}

}  // namespace posthaste::store
