// DATA and BDAT (smtp-server.md 12, 13, 17.5): the text is gathered in one string that begins with our Received field
// and becomes the stored message as it is.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "mail/received.h"
#include "smtp/server/metrics.h"
#include "smtp/server/session.h"

namespace posthaste::smtp::server {

namespace {

constexpr std::size_t kMaxPasses = 4;      // through this host, this one included
constexpr std::size_t kMaxReceived = 100;  // through any
// What SIZE= makes us set aside at once; a client may promise more than it sends.
constexpr std::uint64_t kMaxReserve = 1 << 20;
constexpr std::string_view kFirst = "HELO/EHLO, MAIL FROM and RCPT TO before sending data";

}  // namespace

Refusal Session::too_large() const {
  return {552,
          "5.3.4",
          fmt::format("Message too large (maximum size {}MB)", settings_.max_message_megabytes),
          "message-too-large",
          {}};
}

void Session::on_data(std::string_view argument, bool crlf) {
  if (!argument.empty()) return error(501, "5.5.4", "Syntax error, no parameters allowed", "syntax");
  if (chunks_) return error(503, "5.5.1", "BDAT in progress", "data-out-of-order");
  if (state_ != State::Rcpt) return error(503, "5.5.1", kFirst, "data-out-of-order");
  // Such a client can never write a valid end of data.
  if (!crlf) return error(500, "5.5.2", "Lines must end with CRLF", "bare-lf");
  if (limits_.inflight.load(std::memory_order_relaxed) >= settings_.inflight_memory_limit) {
    count::limit("memory");
    return reply(452, "4.3.1", "Insufficient system storage");
  }
  text_mode_ = Text::Data;
  if (client_name_ || !settings_.reverse_dns) return begin_text();
  want_ = Want::ClientName;
}

void Session::on_bdat(std::string_view argument) {
  const auto chunk = proto::parse_bdat(argument);
  if (!chunk) {
    error(501, "5.5.4", "Syntax: BDAT <size> [LAST]", "syntax");
    return close("BDAT without a size");  // nobody knows where the next command begins
  }
  if (chunk->size > 2 * std::uint64_t(settings_.max_message_size())) {
    refuse(too_large());
    return close("chunk too large");
  }
  chunk_size_ = chunk_left_ = chunk->size;
  chunk_last_ = chunk->last;
  chunk_refusal_.reset();
  text_mode_ = Text::Chunk;

  if (state_ != State::Rcpt) {
    chunk_refusal_ = Refusal{503, "5.5.1", std::string(kFirst), "data-out-of-order", {}};
  } else if (limits_.inflight.load(std::memory_order_relaxed) >= settings_.inflight_memory_limit) {
    count::limit("memory");
    chunk_refusal_ = Refusal{452, "4.3.1", "Insufficient system storage", {}, {}};
  } else if (!chunks_) {
    chunks_ = true;
    if (settings_.reverse_dns && !client_name_) {
      want_ = Want::ClientName;
      return;
    }
    return begin_text();
  }
  if (chunk_left_ == 0) end_chunk();
}

void Session::client_named(std::string_view name) {
  client_name_ = mail::clean_pointer_name(name);
  if (want_ != Want::ClientName) return;
  want_ = Want::Input;
  begin_text();
}

void Session::begin_text() {
  ++transactions_;
  text_began_ = around_.clock();
  mail::Received received;
  received.from = mail::clean_helo(helo_, smtputf8_);
  received.client_name = client_name_.value_or("");
  received.client = client_;
  received.by = settings_.host;
  received.with = "SMTP";
  received.time = text_began_;
  received.hide_client = login_ && handler_.hides_client(*login_);
  if (extended_) {
    received.with = fmt::format("{}SMTP{}{}", smtputf8_ ? "UTF8" : "E", tls_ ? "S" : "", login_ ? "A" : "");
    received.id = fmt::format("{}-{}", trace_id_, transactions_);
    received.tagged_ipv6 = true;
  }
  const std::string field = mail::received_field(received);
  received_size_ = field.size();
  text_.reserve(received_size_ + std::size_t(std::min(announced_size_ + 256, kMaxReserve)));
  text_ = field;
  using Framing = proto::TextDecoder::Framing;
  decoder_.emplace(text_mode_ == Text::Data ? Framing::Dots : Framing::Chunks, text_limit());

  if (text_mode_ == Text::Data) return reply(354, {}, "Go ahead");
  if (chunk_left_ == 0) end_chunk();
}

// Sessions that were let in while there was room may together outgrow it: at twice the limit they are ended.
bool Session::out_of_memory() const {
  if (limits_.inflight.load(std::memory_order_relaxed) < 2 * settings_.inflight_memory_limit) return false;
  count::limit("memory");
  return true;
}

std::size_t Session::take_text(std::string_view input) {
  const auto [used, ended] = decoder_->feed(input, text_);
  memory_.hold(text_.size());
  if (ended) {
    ++progress_;
    end_text();
  } else if (out_of_memory()) {
    goodbye("4.3.1", "Insufficient system storage");
  } else if (decoder_->bytes() > 2 * std::uint64_t(settings_.max_message_size())) {
    count::client_error("message-too-large");
    goodbye("4.3.4", "Message too large");
  }
  return used;
}

std::size_t Session::take_chunk(std::string_view input) {
  const auto piece = input.substr(0, std::size_t(std::min<std::uint64_t>(chunk_left_, input.size())));
  if (!chunk_refusal_) {
    decoder_->feed(piece, text_);
    memory_.hold(text_.size());
    if (out_of_memory()) goodbye("4.3.1", "Insufficient system storage");
  }
  chunk_left_ -= piece.size();
  if (chunk_left_ == 0) end_chunk();
  return piece.size();
}

void Session::end_chunk() {
  ++progress_;
  text_mode_ = Text::None;
  if (!chunk_refusal_ && decoder_->overflow()) chunk_refusal_ = too_large();
  if (chunk_refusal_) {
    refuse(*std::exchange(chunk_refusal_, {}));
    // The text has a gap now: what follows of it is refused until MAIL begins anew.
    if (state_ == State::Rcpt) state_ = State::Welcomed;
    return reset_transaction();
  }
  if (!chunk_last_) return reply(250, "2.0.0", fmt::format("{} octets received", chunk_size_));
  decoder_->finish(text_);
  end_text();
}

void Session::end_text() {
  text_mode_ = Text::None;
  stored_size_ = text_.size();
  count::text(double(decoder_->bytes()), double(decoder_->long_lines()),
              double(decoder_->bare_cr() + decoder_->bare_lf()));
  if (const auto refusal = check_text()) return refuse_text(*refusal);
  want_ = Want::Store;
}

std::optional<Refusal> Session::check_text() {
  if (decoder_->overflow()) return too_large();
  if (auto refusal = check_newlines()) return refusal;
  const auto header = mail::header_block(text_);
  if (header.size() > settings_.max_header_size + received_size_)
    return Refusal{552, "5.3.4", "Message header too large", "header-too-large", {}};
  if (header.find('\0') != std::string_view::npos)
    return Refusal{554, "5.6.0", "Invalid character in header", "invalid-character", {}};

  const auto fields = mail::header_fields(header);
  std::size_t received = 0, passes = 0;
  for (const auto& field : fields) {
    if (!field.is("Received")) continue;
    ++received;
    if (mail::received_by(field.value, settings_.host)) ++passes;
  }
  if (passes > kMaxPasses || received > kMaxReceived)
    return Refusal{550, "5.4.6", "Loop detected", "loop-detected", {}};
  if (!login_) return std::nullopt;

  auto domain = handler_.sender(*login_, fields);
  if (!domain) return std::move(domain.error());
  domain_id_ = *domain;
  return std::nullopt;
}

std::optional<Refusal> Session::check_newlines() const {
  if (!settings_.reject_bare_newlines || exempt_ || decoder_->bare_cr() + decoder_->bare_lf() == 0) return std::nullopt;
  return Refusal{
      550, "5.5.2", decoder_->bare_lf() > 0 ? "Bare <LF> received" : "Bare <CR> received", "bare-newline", {}};
}

void Session::refuse_text(const Refusal& refusal) {
  if (!refusal.error.empty()) count::client_error(refusal.error);
  reply(refusal.code, refusal.enhanced, worded(refusal));
  finish_transaction(
      fmt::format("{} {}{}", refusal.code, refusal.text, refusal.detail.empty() ? "" : " (" + refusal.detail + ")"));
}

Transaction Session::take_transaction() {
  Transaction t;
  t.trace_id = trace_id_;
  t.mail_from = mail_from_;
  t.recipients = recipients_;
  t.login = login_;
  t.domain_id = domain_id_;
  t.client = client_;
  t.tls = tls_.has_value() || offloaded_tls_;
  t.time = around_.clock();
  t.text = std::exchange(text_, {});
  return t;
}

void Session::stored(const std::expected<std::string, Refusal>& outcome) {
  if (want_ != Want::Store) return;
  want_ = Want::Input;
  if (!outcome) return refuse_text(outcome.error());

  const bool tls = tls_.has_value() || offloaded_tls_;
  for (const auto& recipient : recipients_)
    count::message(recipient.kind == Recipient::Kind::Outgoing ? "outgoing"
                   : recipient.kind == Recipient::Kind::Bounce ? "bounce"
                                                               : "incoming",
                   tls);
  ++messages_;
  const bool told = extended_ && settings_.enhanced_status_codes && !outcome->empty();
  reply(250, "2.0.0", told ? "OK id=" + *outcome : "OK");
  finish_transaction("250 OK id=" + *outcome);
}

void Session::finish_transaction(std::string_view reply_line) {
  log_transaction(reply_line);
  state_ = State::Welcomed;
  reset_transaction();
  if (stopping_) goodbye("4.3.2", "Service shutting down");
}

}  // namespace posthaste::smtp::server
