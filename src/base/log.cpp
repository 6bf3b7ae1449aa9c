#include "base/log.h"

#include <fmt/chrono.h>
#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <memory>
#include <mutex>

#include "base/json.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "base/time.h"

namespace posthaste::log {

namespace {

constexpr std::size_t kQueueSize = 16384;

std::atomic<Level> g_level{Level::Info};
std::atomic<Format> g_format{Format::Text};
std::atomic<bool> g_colour{false};

// Two loggers over one queue: what may be dropped when it is full, and what must wait.
struct Writers {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> dropping, waiting;
};
std::mutex g_mutex;
std::atomic<std::shared_ptr<Writers>> g_writers;

std::shared_ptr<spdlog::sinks::sink> make_sink() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_pattern("%v");
  return sink;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::Debug:
      return "DEBUG";
    case Level::Info:
      return "INFO";
    case Level::Warn:
      return "WARN";
    default:
      return "ERROR";
  }
}

// 256-colour codes of admin-and-config.md 4.1.
int colour_of(Level level) {
  switch (level) {
    case Level::Debug:
      return 252;
    case Level::Info:
      return 75;
    case Level::Warn:
      return 220;
    default:
      return 203;
  }
}

// Control characters would let a peer forge lines or drive a terminal.
std::string escape_text(std::string_view value) {
  std::string out;
  for (unsigned char c : value) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (c < 0x20 || c == 0x7F)
      out += fmt::format("\\x{:02x}", c);
    else
      out += char(c);
  }
  return out;
}

std::string text_value(std::string_view value) {
  std::string escaped = escape_text(value);
  if (escaped.find_first_of(" \"=") == std::string::npos && !escaped.empty()) return escaped;
  return '"' + replace_all(escaped, "\"", "\\\"") + '"';
}

std::string text_line(Level level, std::string_view component, std::string_view message, const Fields& fields) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  const std::string severity = fmt::format("{:<7}", name_of(level));
  const bool colour = g_colour;
  std::string line = fmt::format("{:%Y-%m-%d %H:%M:%S %z} ", local);
  line += colour ? fmt::format("\x1b[38;5;{}m{}\x1b[0m", colour_of(level), severity) : severity;
  line += escape_text(message);
  const auto pair = [&](std::string_view name, std::string_view value) {
    if (colour)
      line += fmt::format(" \x1b[38;5;243m{}=\x1b[0m{}", name, value);
    else
      line += fmt::format(" {}={}", name, value);
  };
  for (const auto& field : fields) pair(field.name, text_value(field.value));
  pair("component", component);
  return line;
}

std::string json_line(Level level, std::string_view component, std::string_view message, const Fields& fields) {
  std::string line = fmt::format(R"({{"ts":"{}","level":"{}","msg":{},"component":"{}")", to_iso8601(system_now(), 6),
                                 to_lower(name_of(level)), json_quote(message), component);
  for (const auto& field : fields) {
    line += fmt::format(R"(,{}:{})", json_quote(field.name), field.quoted ? json_quote(field.value) : field.value);
  }
  return line + '}';
}

void count_dropped(std::size_t total) {
  static const metrics::Gauge dropped(metrics::Part::Common, "posthaste_log_dropped_total",
                                      "Log lines dropped because the queue was full");
  dropped.set(double(total));
}

}  // namespace

void configure(const Options& options) {
  std::lock_guard lock(g_mutex);
  g_level = options.level;
  g_format = options.format;
  g_colour = options.colour;
  if (g_writers.load()) return;
  auto writers = std::make_shared<Writers>();
  writers->pool = std::make_shared<spdlog::details::thread_pool>(kQueueSize, 1);
  const auto sink = make_sink();
  writers->dropping = std::make_shared<spdlog::async_logger>("dropping", sink, writers->pool,
                                                             spdlog::async_overflow_policy::overrun_oldest);
  writers->waiting =
      std::make_shared<spdlog::async_logger>("waiting", sink, writers->pool, spdlog::async_overflow_policy::block);
  for (const auto& logger : {writers->dropping, writers->waiting}) {
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::info);
  }
  g_writers.store(writers);
}

void flush_and_stop() {
  std::lock_guard lock(g_mutex);
  const auto writers = g_writers.exchange(nullptr);
  if (writers) writers->waiting->flush();
}  // the pool's destructor writes what waits

void set_level(Level level) { g_level = level; }

bool enabled(Level level) { return level >= g_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view component, std::string_view message, const Fields& fields) {
  if (!enabled(level)) return;
  const std::string line = g_format == Format::Json ? json_line(level, component, message, fields)
                                                    : text_line(level, component, message, fields);
  const auto writers = g_writers.load();
  if (!writers) {
    fmt::print(stderr, "{}\n", line);
    return;
  }
  const bool must = level >= Level::Warn;
  (must ? writers->waiting : writers->dropping)->info(fmt::string_view(line));
  if (!must) {
    if (const auto dropped = writers->pool->overrun_counter(); dropped > 0) count_dropped(dropped);
  }
}

}  // namespace posthaste::log
