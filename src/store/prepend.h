// Headers that are put in front of a stored message: signature and X-Postal-MsgID.
#pragma once

#include <map>
#include <span>

#include "store/conclude.h"

namespace posthaste::store {

// Message id to the id of its new header row.
using HeaderIds = std::map<Id, Id>;

// Stores what the conclusions prepend. Returns the messages whose header row is another one now; in place: none.
HeaderIds prepend_headers(sql::Connection& connection, const sql::Names& names, bool in_place,
                          std::span<ConcludeWork* const> works);

}  // namespace posthaste::store
