// Which source address a message leaves from: the pool that rules and mail server give, and one address of it
// (outbound-delivery.md section 10).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/directory.h"
#include "store/messages.h"

namespace posthaste::store {

// The addresses in the From fields of a message, as rules compare them.
std::vector<std::string> from_addresses(std::string_view headers);

// Of the first rule that fits; else the mail server's own; else none.
std::optional<Id> pool_for(const Directory& directory, const Server& server, std::span<const std::string> from,
                           std::string_view rcpt_to);

// A number in [0, 1).
using Draw = std::function<double()>;
double random_unit();

// The address with the highest draw x priority, as Postal chooses: of two with 100 and 50 the second has a quarter.
// None if the pool is empty.
const IpAddressRow* draw_address(const Directory& directory, Id pool, const Draw& draw = random_unit);

// What a queue row gets; nothing where the system shall choose.
std::optional<Id> source_for(const Directory& directory, const Server& server, std::span<const std::string> from,
                             std::string_view rcpt_to);
// The same for all outgoing messages of a submission.
void choose_sources(const Directory& directory, Submission& submission);

// Whether one of its addresses is on an interface of this machine.
bool on_this_machine(const IpAddressRow& row);

}  // namespace posthaste::store
