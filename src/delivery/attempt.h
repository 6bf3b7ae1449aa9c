// One attempt at one message: everything the pipeline's steps learn and decide about it, in one place.
//
// An attempt is worked on by one thread at a time: a pool thread before and after sending, its lane's loop between.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "delivery/connect.h"
#include "delivery/destination.h"
#include "delivery/journal_records.h"
#include "delivery/send_limits.h"
#include "policy/reply_verdict.h"
#include "smtp/client/connection.h"
#include "store/directory.h"
#include "store/messages.h"

namespace posthaste::delivery {

// A queued message in its lane, before anything was read for it.
struct Job {
  store::QueuedMessage queued;
  std::uint64_t arrival = 0;  // counted per lane: who was there when a round of connecting failed
};

struct Attempt {
  Job job;
  Time started;

  // learned before sending
  std::shared_ptr<const store::Directory> directory;
  const store::Server* server = nullptr;
  const store::Domain* domain = nullptr;
  const store::Route* route = nullptr;
  store::Message message;
  std::optional<store::RawMessage> raw;
  std::string found_tag;  // X-Postal-Tag, if the message had no tag
  // Made at this attempt and not in `raw`: signature and X-Postal-MsgID of outgoing messages, the X-Postal-Spam lines
  // of incoming ones. Whoever sends the message, or shows it to an endpoint, puts them in front.
  std::string added_headers;
  // `raw` came with X-Postal-Spam lines of somebody else; they are left out, of the stored message too.
  bool foreign_verdicts = false;
  std::size_t next_step = 0;                    // of its pipeline, when the steps go on behind an inspection
  bool awaits_inspection = false;               // the lane asks the scanners, then the steps go on
  std::optional<store::Inspection> inspection;  // made at this attempt
  bool on_suppression_list = false;
  bool counted = false;  // an earlier attempt began a transaction: the send limit has it
  SendLimits::Place limit_place;

  store::Conclusion conclusion;  // what steps want stored with the outcome, whatever that is
  Destination destination;
  std::string endpoint_type;  // of incoming messages that go to an endpoint
  store::Id endpoint_id = 0;
  std::string trace_header;  // by which a route knows again what it has forwarded; not stored

  // while sending
  smtp::client::Envelope envelope;
  bool tried = false;            // a connection or request was made for it
  bool helo_only = false;        // the remote host stumbled over ESMTP: once more without
  int moves = 0;                 // to another connection, after one that broke
  std::optional<Ticket> ticket;  // in the journal, from the final dot on
  std::optional<ConnectFailure> no_connection;

  // after sending
  std::optional<policy::Verdict> verdict;  // of the transaction, or of the round of connecting
  bool over_tls = false;
  std::optional<double> seconds;  // the transaction took
  std::string log_id;
  bool tells_sender = true;  // of a hard failure, with a bounce: incoming messages
  std::string remark;        // put behind the verdict's details
  std::string suppress_reason;
  bool unsuppress = false;

  const store::QueuedMessage& queued() const { return job.queued; }
};

}  // namespace posthaste::delivery
