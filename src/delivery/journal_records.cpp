#include "delivery/journal_records.h"

#include <bit>
#include <cstring>
#include <map>

namespace posthaste::delivery {

namespace {

constexpr std::size_t kHead = 8;
constexpr std::size_t kLargestRecord = 4 * 1024 * 1024;

std::uint32_t checksum(std::string_view bytes) {  // FNV-1a: tells a torn record from a whole one
  std::uint32_t sum = 2166136261U;
  for (unsigned char c : bytes) sum = (sum ^ c) * 16777619U;
  return sum;
}

class Writer {
 public:
  explicit Writer(char kind, Ticket ticket) : bytes_(kHead, '\0') {
    bytes_.push_back(kind);
    number(std::int64_t(ticket));
  }
  Writer& number(std::int64_t value) {
    char raw[8];
    for (int i = 0; i < 8; ++i) raw[i] = char(std::uint64_t(value) >> (8 * i));
    bytes_.append(raw, 8);
    return *this;
  }
  Writer& text(std::string_view value) {
    number(std::int64_t(value.size()));
    bytes_.append(value);
    return *this;
  }
  Writer& real(double value) { return number(std::bit_cast<std::int64_t>(value)); }
  Writer& time(const std::optional<Time>& value) {
    return maybe(value, [&](Time t) { number(to_unix_micros(t)); });
  }
  template <class T, class Write>
  Writer& maybe(const std::optional<T>& value, Write write) {
    number(value ? 1 : 0);
    if (value) write(*value);
    return *this;
  }
  std::string finish() {
    put(0, std::uint32_t(bytes_.size() - kHead));
    put(4, checksum(std::string_view(bytes_).substr(kHead)));
    return std::move(bytes_);
  }

 private:
  void put(std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) bytes_[at + i] = char(value >> (8 * i));
  }
  std::string bytes_;
};

// Reads what Writer wrote; past the end everything is zero or empty and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && bytes_.empty(); }
  char kind() {
    if (bytes_.empty()) return fail(), '\0';
    const char c = bytes_.front();
    bytes_.remove_prefix(1);
    return c;
  }
  std::int64_t number() {
    if (bytes_.size() < 8) return fail(), 0;
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value |= std::uint64_t(static_cast<unsigned char>(bytes_[std::size_t(i)])) << (8 * i);
    bytes_.remove_prefix(8);
    return std::int64_t(value);
  }
  std::string text() {
    const auto length = std::uint64_t(number());
    if (length > bytes_.size()) return fail(), std::string();
    std::string value(bytes_.substr(0, length));
    bytes_.remove_prefix(length);
    return value;
  }
  double real() { return std::bit_cast<double>(number()); }
  std::optional<Time> time() {
    if (number() == 0) return std::nullopt;
    return from_unix_micros(number());
  }

 private:
  void fail() {
    ok_ = false;
    bytes_ = {};
  }
  std::string_view bytes_;
  bool ok_ = true;
};

void write_delivery(Writer& out, const store::Delivery& d) {
  out.number(d.message_id).text(d.status).text(d.details).text(d.output).number(d.sent_with_ssl ? 1 : 0).text(d.log_id);
  out.maybe(d.code, [&](int code) { out.number(code); });
  out.maybe(d.seconds, [&](double seconds) { out.real(seconds); });
  out.number(to_unix_micros(d.timestamp));
}

store::Delivery read_delivery(Reader& in) {
  store::Delivery d;
  d.message_id = in.number();
  d.status = in.text();
  d.details = in.text();
  d.output = in.text();
  d.sent_with_ssl = in.number() != 0;
  d.log_id = in.text();
  if (in.number() != 0) d.code = int(in.number());
  if (in.number() != 0) d.seconds = in.real();
  d.timestamp = from_unix_micros(in.number());
  return d;
}

void write_inspection(Writer& out, const store::Inspection& i) {
  out.number(i.spam ? 1 : 0).number(i.threat ? 1 : 0).real(i.score).text(i.threat_details);
  out.number(std::int64_t(i.checks.size()));
  for (const auto& check : i.checks) out.text(check.code).text(check.description).real(check.score);
}

store::Inspection read_inspection(Reader& in) {
  store::Inspection i;
  i.spam = in.number() != 0;
  i.threat = in.number() != 0;
  i.score = in.real();
  i.threat_details = in.text();
  for (auto count = in.number(); count > 0 && in.ok(); --count) {
    store::SpamCheck check;
    check.code = in.text();
    check.description = in.text();
    check.score = in.real();
    i.checks.push_back(std::move(check));
  }
  return i;
}

store::Conclusion read_conclusion(Reader& in) {
  store::Conclusion c;
  c.server_id = in.number();
  c.message_id = in.number();
  c.queue_id = in.number();
  if (in.number() != 0) c.delivery = read_delivery(in);
  c.queue = store::QueueChange(in.number());
  c.retry_at = in.time();
  c.hold_expiry = in.time();
  c.tag = in.text();
  c.prepend_headers = in.text();
  c.parsed = in.number() != 0;
  c.suppress_address = in.text();
  c.suppress_reason = in.text();
  c.unsuppress_address = in.text();
  if (in.at_end()) return c;  // of a version that wrote no more
  for (auto count = in.number(); count > 0 && in.ok(); --count) c.remove_headers.push_back(in.text());
  if (in.number() != 0) c.inspection = read_inspection(in);
  return c;
}

InDoubt read_in_doubt(Reader& in) {
  InDoubt d;
  d.server_id = in.number();
  d.message_id = in.number();
  d.queue_id = in.number();
  d.endpoint = in.text();
  d.at = from_unix_micros(in.number());
  d.lease = in.text();
  return d;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

// Takes the next whole record's payload off the front; nothing at the end or where the file is torn.
std::optional<std::string_view> next_payload(std::string_view& bytes) {
  if (bytes.size() < kHead) return std::nullopt;
  const std::size_t length = number_at(bytes, 0);
  if (length > kLargestRecord || bytes.size() - kHead < length) return std::nullopt;
  const auto payload = bytes.substr(kHead, length);
  if (checksum(payload) != number_at(bytes, 4)) return std::nullopt;
  bytes.remove_prefix(kHead + length);
  return payload;
}

}  // namespace

std::string encode_sending(Ticket ticket, const InDoubt& what) {
  Writer out('D', ticket);
  out.number(what.server_id).number(what.message_id).number(what.queue_id).text(what.endpoint);
  out.number(to_unix_micros(what.at)).text(what.lease);
  return out.finish();
}

std::string encode_outcome(Ticket ticket, const store::Conclusion& c) {
  Writer out('E', ticket);
  out.number(c.server_id).number(c.message_id).number(c.queue_id);
  out.maybe(c.delivery, [&](const store::Delivery& d) { write_delivery(out, d); });
  out.number(int(c.queue)).time(c.retry_at).time(c.hold_expiry).text(c.tag).text(c.prepend_headers);
  out.number(c.parsed ? 1 : 0).text(c.suppress_address).text(c.suppress_reason).text(c.unsuppress_address);
  out.number(std::int64_t(c.remove_headers.size()));
  for (const auto& name : c.remove_headers) out.text(name);
  out.maybe(c.inspection, [&](const store::Inspection& i) { write_inspection(out, i); });
  return out.finish();
}

std::string encode_settled(Ticket ticket) { return Writer('C', ticket).finish(); }

Unsettled decode_journal(std::string_view bytes) {
  std::map<Ticket, InDoubt> sending;
  std::map<Ticket, store::Conclusion> known;
  while (auto payload = next_payload(bytes)) {
    Reader in(*payload);
    const char kind = in.kind();
    const Ticket ticket = Ticket(in.number());
    if (kind == 'D') {
      if (auto what = read_in_doubt(in); in.ok()) sending[ticket] = std::move(what);
    } else if (kind == 'E') {
      if (auto conclusion = read_conclusion(in); in.ok()) known[ticket] = std::move(conclusion);
    } else if (kind == 'C') {
      sending.erase(ticket);
      known.erase(ticket);
    }
  }
  Unsettled found;
  found.torn = !bytes.empty();
  for (auto& [ticket, conclusion] : known) {
    if (auto begun = sending.extract(ticket)) conclusion.lease = std::move(begun.mapped().lease);
    found.known.push_back(std::move(conclusion));
  }
  for (auto& [ticket, what] : sending) found.in_doubt.push_back(std::move(what));
  return found;
}

}  // namespace posthaste::delivery
