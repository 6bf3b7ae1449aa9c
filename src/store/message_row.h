// Rows of `messages` within somebody's transaction.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>

#include "sql/sql.h"
#include "store/messages.h"

namespace posthaste::store {

// condition: `WHERE ...`, with names of tables as in sql.h.
void select_messages(sql::Connection& connection, const sql::Names& names, std::string_view condition,
                     std::initializer_list<sql::Value> values, const std::function<void(Message)>& each);

}  // namespace posthaste::store
