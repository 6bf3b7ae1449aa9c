// What is written and read of messages: a submission on its way in, a queued message on its way out, a delivery's
// outcome.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "store/records.h"

namespace posthaste::store {

// The bytes of a message, shared and never changed. Header block without its final line end; body behind the blank line
// (data-model.md section 10). Both are views of one buffer.
class RawMessage {
 public:
  explicit RawMessage(std::string bytes);  // splits at the first \r?\n\r?\n
  std::string_view bytes() const { return *bytes_; }
  std::string_view headers() const { return bytes().substr(0, header_end_); }
  std::string_view body() const { return bytes().substr(body_start_); }
  std::size_t size() const { return bytes_->size(); }

 private:
  std::shared_ptr<const std::string> bytes_;
  std::size_t header_end_ = 0, body_start_ = 0;
};

enum class Scope { Outgoing, Incoming };
std::string_view to_text(Scope scope);

// One row of `messages` with its queue row: one recipient.
struct NewMessage {
  Scope scope = Scope::Outgoing;
  std::string token;                                         // 16 alphanumerics
  std::string rcpt_to, mail_from, subject, message_id, tag;  // empty: NULL
  std::optional<Id> domain_id, credential_id, route_id, endpoint_id, bounce_for_id;
  std::string endpoint_type;
  bool bounce = false;
  std::optional<bool> received_with_ssl;
  std::optional<Id> ip_address_id;  // of the queue row
};

// `outgoing-example.com`, `incoming-rt:1-ep:2-HTTPEndpoint` (data-model.md 7.1).
std::string batch_key(const NewMessage& message);

// All recipients of one mail server in one transaction. The raw bytes are stored once and shared by the messages' rows
// unless posthaste.coexist_with_postal is set.
struct Submission {
  Id server_id = 0;
  Time timestamp;
  RawMessage raw;
  std::vector<NewMessage> messages;
};

struct StoredMessage {
  Id message_id = 0, queue_id = 0;
  std::string token;
};
// In the order of Submission::messages. Given when the transaction has been committed to disk.
struct Stored {
  std::vector<StoredMessage> messages;
};

// Where queue rows go, and from which of our addresses.
struct Site {
  std::string domain;  // capitals count for nothing
  std::optional<Id> ip_address_id;
  auto operator<=>(const Site&) const = default;
};

// A queue row under this node's lease, with what the pipeline needs of its message.
struct QueuedMessage {
  Id server_id = 0, queue_id = 0, message_id = 0;
  std::string domain;  // behind the last @ of rcpt_to, as typed
  int attempts = 0;
  bool manual = false;
  std::optional<Id> ip_address_id, route_id;
  std::string batch_key;  // of incoming messages: `incoming-rt:<route>-ep:<endpoint>-<type>`
  Time created_at;
  std::optional<RawMessage> raw;  // present when handed over in memory by the process that accepted it
};

// A row of `messages`.
struct Message {
  Id id = 0;
  std::string token, scope, rcpt_to, mail_from, subject, message_id, tag, status;
  Time timestamp;
  std::optional<Id> route_id, domain_id, credential_id, endpoint_id;
  std::string endpoint_type;
  bool held = false, inspected = false, spam = false, threat = false, bounce = false, parsed = false;
  Id bounce_for_id = 0;
  double spam_score = 0;
  std::string threat_details;
  std::optional<bool> received_with_ssl;
  std::optional<std::int64_t> size;
  std::optional<Time> last_delivery_attempt, hold_expiry, loaded, clicked;
  std::string raw_table;  // empty: the raw message was removed
  std::optional<Id> raw_headers_id, raw_body_id;
};

// A row of `deliveries`.
struct Delivery {
  Id id = 0, message_id = 0;
  std::string status;       // Sent SoftFail HardFail Held Bounced Processed HoldCancelled Error
  std::string details;      // cut at 250 code points when written
  std::string output;       // likewise, cleaned to valid UTF-8; empty: NULL
  std::optional<int> code;  // three digits of the remote reply
  bool sent_with_ssl = false;
  std::string log_id;  // empty: NULL
  std::optional<double> seconds;
  Time timestamp;
};

enum class QueueChange {
  Done,   // the row goes
  Retry,  // attempts + 1, due at retry_at
  Keep,   // back to the table as it was (lease given up)
  Wait,   // due at retry_at, attempts unchanged: nothing was attempted
};

// What SpamAssassin, rspamd and ClamAV found (inbound-processing.md 7). Kept once: `inspected`.
struct SpamCheck {
  std::string code, description;
  double score = 0;
};
struct Inspection {
  bool spam = false, threat = false;
  double score = 0;
  std::string threat_details;
  std::vector<SpamCheck> checks;
};

// A request to a webhook that waits in the table (data-model.md 7.3). The payload is JSON, at most 64 KiB.
struct NewWebhookRequest {
  Id webhook_id = 0;
  std::string url, event, uuid, payload;
};

// A delivery of another message than the one that an attempt was made for: the original of a bounce.
struct OtherDelivery {
  Id message_id = 0;
  Delivery delivery;
  bool note = false;  // in its history only: the message keeps its status
};

// What came back about a message of ours (inbound-processing.md 18.2), kept in `posthaste_bounces` beside the message
// that said so.
struct BounceReport {
  Id original_id = 0;
  std::string type;  // hard soft policy delayed success complaint
  std::string action, status, recipient, diagnostic, remote_mta;
  std::string match;  // verp envelope-id msgid message-id scan
  Time reported_at;
};

// The outcome of one attempt: delivery row, message status, queue row, statistics, in one transaction.
struct Conclusion {
  Id server_id = 0, message_id = 0, queue_id = 0;
  std::optional<Delivery> delivery;  // none: only the queue row changes
  QueueChange queue = QueueChange::Done;
  std::optional<Time> retry_at;     // Retry; rounded up to whole seconds
  std::optional<Time> hold_expiry;  // with status Held
  std::string tag;                  // newly found tag; empty: unchanged
  // Headers put in front at the first attempt (signature, X-Postal-MsgID): stored in front of the header block, copy on
  // write when the row is shared. Empty: nothing to store.
  std::string prepend_headers;
  // Fields whose names begin so, in any case, leave the stored header block before that. Only with prepend_headers.
  std::vector<std::string> remove_headers;
  bool parsed = false;  // mark `parsed`
  // Suppression list of the mail server.
  std::string suppress_address, suppress_reason;  // empty: no change
  std::string unsuppress_address;
  std::optional<Inspection> inspection;
  // Of a bounce whose original was found: its own columns, and what is recorded on the original.
  std::optional<Id> bounce_for_id, domain_id;
  std::vector<OtherDelivery> others;
  std::vector<BounceReport> reports;
  // Put into the table in the same transaction as the queue row's change.
  std::vector<NewWebhookRequest> requests;
  // Of an attempt of a process that is gone, found in the delivery journal: applies to the queue row while it is under
  // the lease that the process had (left empty: any of this node's), or under none. A row that is gone stays gone.
  bool recovered = false;
  std::string lease;
};

// An entry of the queue as `queue list` shows it.
struct QueueEntry {
  Id server_id = 0, queue_id = 0, message_id = 0;
  std::string domain;
  int attempts = 0;
  bool manual = false, locked = false;
  std::string locked_by;
  std::optional<Time> retry_after;
  Time created_at;
};

struct QueueFilter {
  std::optional<Id> server_id;
  std::optional<Id> message_id;
  std::string domain;  // empty: any
  std::optional<Time> created_before;
  std::size_t limit = 1000;  // 0: all
};

}  // namespace posthaste::store
