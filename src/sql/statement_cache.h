// The prepared statements of one connection by their text. A look-up hashes the text and copies nothing. The least
// recently used statement without an open result goes when there are too many: the names of raw tables and message
// databases are part of the text, and a MariaDB server limits how many statements all its clients keep.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace posthaste::sql {

// T has `bool idle() const`.
template <class T>
class StatementCache {
 public:
  static constexpr std::size_t kKept = 256;

  T* find(std::string_view text) {
    const auto at = by_text_.find(text);
    if (at == by_text_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, at->second);
    return at->second->statement.get();
  }

  T& add(std::string_view text, std::unique_ptr<T> statement) {
    if (by_use_.size() >= kKept) drop_oldest_idle();
    by_use_.push_front({std::string(text), std::move(statement)});
    by_text_.emplace(by_use_.front().text, by_use_.begin());
    return *by_use_.front().statement;
  }

  void drop_all_idle() {
    for (auto at = by_use_.begin(); at != by_use_.end();) at = at->statement->idle() ? drop(at) : std::next(at);
  }

  void clear() {
    by_text_.clear();
    by_use_.clear();
  }

  std::size_t size() const { return by_use_.size(); }

 private:
  struct Entry {
    std::string text;
    std::unique_ptr<T> statement;
  };
  using Entries = std::list<Entry>;

  typename Entries::iterator drop(typename Entries::iterator at) {
    by_text_.erase(at->text);
    return by_use_.erase(at);
  }

  void drop_oldest_idle() {
    for (auto at = by_use_.end(); at != by_use_.begin();) {
      if (!(--at)->statement->idle()) continue;
      drop(at);
      return;
    }
  }

  Entries by_use_;                                                            // most recent first
  std::unordered_map<std::string_view, typename Entries::iterator> by_text_;  // keys look into the entries
};

}  // namespace posthaste::sql
