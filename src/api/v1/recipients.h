// Recipients of a call: whom the answer names and whom the message goes to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/v1/answer.h"
#include "api/v1/call.h"
#include "store/messages.h"

namespace posthaste::api::v1 {

struct Recipient {
  std::string key;      // in the answer
  std::string address;  // of the envelope
};

class Recipients {
 public:
  // reject: addresses that no mail can go to are complaints; otherwise they are stored and fail later, as with Postal.
  // once: an address that comes again is left out and noted.
  Recipients(bool reject, bool once) : reject_(reject), once_(once) {}

  // `field` names the parameter in complaints. Empty addresses are skipped.
  void add(std::string_view field, std::string key, std::string address, Complaints& complaints);

  const std::vector<Recipient>& all() const { return all_; }
  const std::vector<std::string>& duplicates() const { return duplicates_; }

 private:
  bool reject_, once_;
  std::vector<Recipient> all_;
  std::vector<std::string> seen_, duplicates_;
};

// Stores one message for each recipient and answers with their ids: `{"message_id":...,"messages":{...}}`.
struct Outgoing {
  std::vector<Recipient> recipients;
  std::string raw, mail_from, tag;
  store::Id domain_id = 0;
  bool bounce = false;
  std::string flags = "{}";
};
io::Task<Answer> store_outgoing(const Call& call, Outgoing outgoing);

}  // namespace posthaste::api::v1
