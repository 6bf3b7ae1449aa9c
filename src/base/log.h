// Structured log lines: a message and fields. One asynchronous writer; nobody waits for a terminal or a pipe.
//
//   log::info("smtp-server", "message accepted", {{"trace_id", id}, {"size", bytes}});
//
// text format (admin-and-config.md 4.1): `2026-03-18 10:15:02 +0000 INFO   message trace_id=... component=smtp-server`
// json format (4.4): one object per line with ts, level, msg, component and the fields.
// When the queue is full, debug and info are dropped and counted; warn and error wait. Secrets never come here.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace posthaste::log {

enum class Level { Debug, Info, Warn, Error, Off };
enum class Format { Text, Json };

struct Field {
  std::string name;
  std::string value;
  bool quoted = true;  // false: a number or boolean in JSON

  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const std::string& v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(v) {}
  Field(std::string_view n, bool v) : name(n), value(v ? "true" : "false"), quoted(false) {}
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  Field(std::string_view n, T v) : name(n), value(std::to_string(v)), quoted(false) {}
};
using Fields = std::vector<Field>;

struct Options {
  Level level = Level::Info;
  Format format = Format::Text;
  bool colour = false;
};

// Called once at start, and again on reload. Before it, lines go to standard error at Info.
void configure(const Options& options);
// The threshold alone, without starting the writer: for programs that end soon.
void set_level(Level level);
// Writes out what waits and stops the writer; further lines are written at once.
void flush_and_stop();
bool enabled(Level level);

void write(Level level, std::string_view component, std::string_view message, const Fields& fields = {});
inline void debug(std::string_view component, std::string_view message, const Fields& fields = {}) {
  if (enabled(Level::Debug)) write(Level::Debug, component, message, fields);
}
inline void info(std::string_view component, std::string_view message, const Fields& fields = {}) {
  write(Level::Info, component, message, fields);
}
inline void warn(std::string_view component, std::string_view message, const Fields& fields = {}) {
  write(Level::Warn, component, message, fields);
}
inline void error(std::string_view component, std::string_view message, const Fields& fields = {}) {
  write(Level::Error, component, message, fields);
}

}  // namespace posthaste::log
