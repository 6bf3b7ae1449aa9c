// Addresses: the lists in header fields (RFC 5322 3.4 with the obsolete forms, RFC 6532) and their parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

struct Mailbox {
  std::string name;     // display name, decoded; empty if there is none
  std::string address;  // local part (quoted where it must be) @ domain; comments and white space removed
  std::string domain;   // as written
  // The display name holds a bare @: `a@x.test <b@y.test>`. Not allowed, but common; some readers take the name for the
  // address.
  bool ambiguous = false;
};

// The mailboxes of a header field's value (folded or not), those in groups included. Nothing if it is not an address
// list; an empty list (`undisclosed-recipients:;`, an empty value) has no mailboxes.
std::optional<std::vector<Mailbox>> parse_address_list(std::string_view value);

// The one mailbox of a text such as `Ada <a@b.test>` or `a@b.test`.
std::optional<Mailbox> parse_mailbox(std::string_view text);

// Splits at the last @. `domain` is empty without one.
struct AddressParts {
  std::string_view local, domain;
};
AddressParts split_address(std::string_view address);

// `"a b"` becomes `a b`; what is not a quoted string stays.
std::string unquote_local_part(std::string_view local);

}  // namespace posthaste::mail
