#include "events/stored_payload.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <sstream>
#include <stdexcept>

#include "base/json.h"
#include "base/strings.h"

namespace posthaste::events {

namespace {

constexpr std::size_t kDeepest = 16;

struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.size() > 18 || (text.size() > 1 && text[0] == '0')) return false;
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<double> as_float(std::string_view text) {
  if (!text.contains('.') || !(text[0] == '-' || (text[0] >= '0' && text[0] <= '9'))) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string_view without_colon(std::string_view text) {
  return text.size() > 1 && text[0] == ':' ? text.substr(1) : text;
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

// Writes JSON while the parser reads: nothing is ever built in memory that an alias could blow up.
class ToJson final : public YAML::EventHandler {
 public:
  std::string take() { return json_.take(); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override { throw Refused("it has aliases"); }

  void OnNull(const YAML::Mark&, YAML::anchor_t) override {
    if (expects_key()) return put_key("");
    json_.null();
  }
  void OnScalar(const YAML::Mark&, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    const bool binary = tag == "!binary" || tag == "tag:yaml.org,2002:binary";
    if (!binary && !one_of(tag, {"", "?", "!"})) throw Refused("it has the tag " + tag);
    if (expects_key()) return put_key(tag == "!" ? std::string_view(value) : without_colon(value));
    if (binary) {
      json_.value(clean_utf8(base64_decode_lenient(value)));
    } else if (tag == "!") {
      json_.value(value);
    } else {
      put_plain(value);
    }
  }
  void OnSequenceStart(const YAML::Mark&, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    enter(false, tag);
    json_.begin_array();
  }
  void OnSequenceEnd() override {
    open_.pop_back();
    json_.end_array();
  }
  void OnMapStart(const YAML::Mark&, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    enter(true, tag);
    json_.begin_object();
  }
  void OnMapEnd() override {
    open_.pop_back();
    json_.end_object();
  }

 private:
  struct Level {
    bool map = false, key_next = false;
  };

  // In a mapping keys and values take turns.
  bool expects_key() {
    if (open_.empty() || !open_.back().map) return false;
    const bool key = open_.back().key_next;
    open_.back().key_next = !key;
    return key;
  }
  void enter(bool map, const std::string& tag) {
    if (!one_of(tag, {"", "?", "!"})) throw Refused("it has the tag " + tag);
    if (expects_key()) throw Refused("a key is no text");
    if (open_.size() >= kDeepest) throw Refused("it is nested too deeply");
    if (open_.empty() && !map) throw Refused("it is no mapping");
    open_.push_back({map, true});
  }
  void put_key(std::string_view name) { json_.key(name); }

  void put_plain(const std::string& text) {
    if (one_of(text, {"", "~", "null", "Null", "NULL"})) {
      json_.null();
    } else if (one_of(text, {"true", "True", "TRUE", "yes", "on"})) {
      json_.value(true);
    } else if (one_of(text, {"false", "False", "FALSE", "no", "off"})) {
      json_.value(false);
    } else if (is_integer(text)) {
      json_.raw(text);
    } else if (const auto number = as_float(text)) {
      json_.value(*number);
    } else {
      json_.value(without_colon(text));
    }
  }

  JsonWriter json_{true};
  std::vector<Level> open_;
};

}  // namespace

Result<std::string> json_of_payload(std::string_view stored) {
  if (stored.starts_with('{')) return std::string(stored);
  try {
    std::istringstream text{std::string(stored)};
    YAML::Parser parser(text);
    ToJson json;
    if (!parser.HandleNextDocument(json)) return fail(ErrorKind::Invalid, "The stored payload is empty.");
    std::string done = json.take();
    if (!done.starts_with('{')) return fail(ErrorKind::Invalid, "The stored payload is no mapping.");
    return done;
  } catch (const Refused& refused) {
    return fail(ErrorKind::Invalid, std::string("The stored payload is refused: ") + refused.what() + ".");
  } catch (const YAML::Exception& error) {
    return fail(ErrorKind::Invalid, "The stored payload cannot be read.", error.what());
  }
}

// Both forms begin with the message, and a message with its id.
std::optional<store::Id> message_of_payload(std::string_view stored) {
  const auto start = stored.substr(0, 80);
  if (!start.contains("message")) return std::nullopt;
  for (const std::string_view key : {"\"id\":", ":id: "}) {
    const auto at = start.find(key);
    if (at == std::string_view::npos) continue;
    store::Id id = 0;
    const auto digits = stored.substr(at + key.size(), 20);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), id).ec == std::errc()) return id;
  }
  return std::nullopt;
}

}  // namespace posthaste::events
