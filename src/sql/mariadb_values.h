// Times and numbers between our types and MariaDB's.
#pragma once

#include <mysql.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace posthaste::sql {

MYSQL_TIME to_mysql_time(Time time);
std::optional<Time> from_mysql_time(const MYSQL_TIME& time);  // nothing for 0000-00-00

// `1700000000.123456`
std::string to_unix_decimal(Time time);
std::optional<Time> from_unix_decimal(std::string_view text);

}  // namespace posthaste::sql
