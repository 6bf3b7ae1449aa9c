// Counters, gauges and histograms under Postal's names (admin-and-config.md section 3) and our own.
//
// A handle is looked up once and kept; touching it is an atomic add. A family belongs to a part, so that each role's
// /metrics shows its own and those of Part::Common.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthaste::metrics {

enum class Part { Common, SmtpServer, Worker, Web };
using Labels = std::vector<std::pair<std::string, std::string>>;

// The 11 buckets of Postal's histograms, in seconds: 0.005 ... 10.
const std::vector<double>& postal_buckets();

// One series of a labelled counter, looked up once. For what is counted several times a message.
class Series {
 public:
  void add(double amount = 1) const;

 private:
  friend class Counter;
  explicit Series(void* counter) : counter_(counter) {}
  void* counter_;
};

class Counter {
 public:
  Counter(Part part, std::string_view name, std::string_view help, bool labelled = false);
  void add(double amount = 1) const;
  void add(const Labels& labels, double amount = 1) const;
  Series series(const Labels& labels) const;

 private:
  void* family_;
  void* plain_;
};

class Gauge {
 public:
  Gauge(Part part, std::string_view name, std::string_view help, bool labelled = false);
  void set(double value) const;
  void add(double amount) const;
  void set(const Labels& labels, double value) const;

 private:
  void* family_;
  void* plain_;
};

class Histogram {
 public:
  Histogram(Part part, std::string_view name, std::string_view help,
            const std::vector<double>& buckets = postal_buckets(), bool labelled = false);
  void observe(double seconds) const;
  void observe(const Labels& labels, double seconds) const;

 private:
  void* family_;
  void* plain_;
  std::vector<double> buckets_;
};

// Prometheus text format 0.0.4 of Part::Common and these parts. Numbers are printed as floats (`0.0`).
std::string render(const std::vector<Part>& parts);

}  // namespace posthaste::metrics
