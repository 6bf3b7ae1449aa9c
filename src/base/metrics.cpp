#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>

namespace posthaste::metrics {

namespace {

using prometheus::MetricType;

// One registry per part, for the life of the process: handles are static objects of other files.
prometheus::Registry& registry(Part part) {
  static std::array<prometheus::Registry, 4>& registries =
      *new std::array<prometheus::Registry, 4>{prometheus::Registry(prometheus::Registry::InsertBehavior::Merge),
                                               prometheus::Registry(prometheus::Registry::InsertBehavior::Merge),
                                               prometheus::Registry(prometheus::Registry::InsertBehavior::Merge),
                                               prometheus::Registry(prometheus::Registry::InsertBehavior::Merge)};
  return registries[std::size_t(part)];
}

std::map<std::string, std::string> label_map(const Labels& labels) { return {labels.begin(), labels.end()}; }

// Postal's exposition shows floats everywhere, counts of histogram buckets included.
std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  if (value == std::floor(value) && std::abs(value) < 1e15) return fmt::format("{:.1f}", value);
  return fmt::format("{}", value);
}

std::string escape_label(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string label_text(const std::vector<prometheus::ClientMetric::Label>& labels, std::string_view extra = {}) {
  std::string out;
  for (const auto& label : labels)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", label.name, escape_label(label.value));
  if (!extra.empty()) out += (out.empty() ? "" : ",") + std::string(extra);
  return out.empty() ? out : '{' + out + '}';
}

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    default:
      return "untyped";
  }
}

void render_metric(std::string& out, const prometheus::MetricFamily& family, const prometheus::ClientMetric& metric) {
  const std::string labels = label_text(metric.label);
  if (family.type == MetricType::Counter)
    out += fmt::format("{}{} {}\n", family.name, labels, number(metric.counter.value));
  if (family.type == MetricType::Gauge)
    out += fmt::format("{}{} {}\n", family.name, labels, number(metric.gauge.value));
  if (family.type != MetricType::Histogram) return;
  for (const auto& bucket : metric.histogram.bucket) {
    const std::string bound = std::isinf(bucket.upper_bound) ? "+Inf" : fmt::format("{}", bucket.upper_bound);
    out += fmt::format("{}_bucket{} {}\n", family.name, label_text(metric.label, fmt::format("le=\"{}\"", bound)),
                       number(double(bucket.cumulative_count)));
  }
  out += fmt::format("{}_sum{} {}\n", family.name, labels, number(metric.histogram.sample_sum));
  out += fmt::format("{}_count{} {}\n", family.name, labels, number(double(metric.histogram.sample_count)));
}

// Families without a series are left out by the library's collector; Postal shows their HELP and TYPE from the start.
struct Known {
  std::string name, help;
  MetricType type;
};
std::map<std::string, Known>& known(Part part) {
  static std::array<std::map<std::string, Known>, 4>& all = *new std::array<std::map<std::string, Known>, 4>;
  return all[std::size_t(part)];
}
std::mutex& known_mutex() {
  static std::mutex& mutex = *new std::mutex;
  return mutex;
}

void remember(Part part, std::string_view name, std::string_view help, MetricType type) {
  std::lock_guard lock(known_mutex());
  known(part).try_emplace(std::string(name), Known{std::string(name), std::string(help), type});
}

void render_part(std::string& out, Part part) {
  const auto families = registry(part).Collect();
  std::lock_guard lock(known_mutex());
  for (const auto& [name, info] : known(part)) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, info.help, name, type_name(info.type));
    const auto family = std::ranges::find(families, name, &prometheus::MetricFamily::name);
    if (family == families.end()) continue;
    for (const auto& metric : family->metric) render_metric(out, *family, metric);
  }
}

template <class Family>
Family& as(void* family) {
  return *static_cast<Family*>(family);
}

}  // namespace

const std::vector<double>& postal_buckets() {
  static const std::vector<double>& buckets =
      *new std::vector<double>{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
  return buckets;
}

Counter::Counter(Part part, std::string_view name, std::string_view help, bool labelled) {
  remember(part, name, help, MetricType::Counter);
  auto& family = prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(registry(part));
  family_ = &family;
  plain_ = labelled ? nullptr : &family.Add({});
}
void Counter::add(double amount) const { as<prometheus::Counter>(plain_).Increment(amount); }
void Counter::add(const Labels& labels, double amount) const { series(labels).add(amount); }
Series Counter::series(const Labels& labels) const {
  return Series(&as<prometheus::Family<prometheus::Counter>>(family_).Add(label_map(labels)));
}
void Series::add(double amount) const { as<prometheus::Counter>(counter_).Increment(amount); }

Gauge::Gauge(Part part, std::string_view name, std::string_view help, bool labelled) {
  remember(part, name, help, MetricType::Gauge);
  auto& family = prometheus::BuildGauge().Name(std::string(name)).Help(std::string(help)).Register(registry(part));
  family_ = &family;
  plain_ = labelled ? nullptr : &family.Add({});
}
void Gauge::set(double value) const { as<prometheus::Gauge>(plain_).Set(value); }
void Gauge::add(double amount) const { as<prometheus::Gauge>(plain_).Increment(amount); }
void Gauge::set(const Labels& labels, double value) const {
  as<prometheus::Family<prometheus::Gauge>>(family_).Add(label_map(labels)).Set(value);
}

Histogram::Histogram(Part part, std::string_view name, std::string_view help, const std::vector<double>& buckets,
                     bool labelled)
    : buckets_(buckets) {
  remember(part, name, help, MetricType::Histogram);
  auto& family = prometheus::BuildHistogram().Name(std::string(name)).Help(std::string(help)).Register(registry(part));
  family_ = &family;
  plain_ = labelled ? nullptr : &family.Add({}, buckets_);
}
void Histogram::observe(double seconds) const { as<prometheus::Histogram>(plain_).Observe(seconds); }
void Histogram::observe(const Labels& labels, double seconds) const {
  as<prometheus::Family<prometheus::Histogram>>(family_).Add(label_map(labels), buckets_).Observe(seconds);
}

std::string render(const std::vector<Part>& parts) {
  std::string out;
  render_part(out, Part::Common);
  for (Part part : parts) render_part(out, part);
  return out;
}

}  // namespace posthaste::metrics
