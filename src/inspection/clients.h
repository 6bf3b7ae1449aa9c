// The conversations with the scanners: one connection and one deadline for each message. None of them fails or throws
// for what a scanner does; see scan.h.
//
// spamd ends the connection after each report, and clamd after each command outside of a session; so there is nothing
// to keep between messages. rspamd's connections are kept by the HTTP client.
#pragma once

#include "inspection/place.h"
#include "inspection/rspamd_reply.h"
#include "inspection/scan.h"
#include "io/http_client.h"

namespace posthaste::inspection {

io::Task<SpamScan> ask_spamd(Dialer& spamd, store::RawMessage raw, bool incoming, Duration timeout);

io::Task<VirusScan> ask_clamd(Dialer& clamd, store::RawMessage raw, Duration timeout);

struct Rspamd {
  bool ssl = false;
  RspamdScore score = RspamdScore::Symbols;
  std::string password, flags, user_agent;
  std::string mta_name;  // our name, told for incoming mail
};
// What the request says about the message. Postal's scores come from Postal's request, so it says nothing of the client
// then; with rspamd's own total it does: SPF, block lists and greylisting need to know.
io::HttpFields rspamd_fields(const Rspamd& rspamd, const Subject& subject);
io::Task<SpamScan> ask_rspamd(io::HttpClient& http, Dialer& place, Rspamd rspamd, store::RawMessage raw,
                              Subject subject, Duration timeout);

}  // namespace posthaste::inspection
