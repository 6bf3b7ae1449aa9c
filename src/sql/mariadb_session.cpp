#include "sql/mariadb_session.h"

#include <errmsg.h>
#include <mysqld_error.h>

namespace posthaste::sql {

namespace {

constexpr unsigned kWsrepNotReady = 1047;          // "WSREP has not yet prepared node for application use"
constexpr unsigned kAutoIncrementExhausted = 167;  // the storage engine's own number
constexpr unsigned kIdleTooLong = 4031;

}  // namespace

bool mariadb_connection_is_lost(unsigned code) {
  switch (code) {
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_UNKNOWN_HOST:
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_MALFORMED_PACKET:
    case CR_COMMANDS_OUT_OF_SYNC:
    case CR_STMT_CLOSED:
    case ER_CONNECTION_KILLED:
    case ER_SERVER_SHUTDOWN:
    case kWsrepNotReady:
    case kIdleTooLong:
    case ER_NEW_ABORTING_CONNECTION:
    case ER_ABORTING_CONNECTION:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_ERROR_ON_WRITE:
    case ER_NET_WRITE_INTERRUPTED:
    case ER_NET_PACKETS_OUT_OF_ORDER:
    case ER_NET_PACKET_TOO_LARGE:  // the server hangs up after saying so
    // A read-only server: another host of the list may have become the primary.
    case ER_OPTION_PREVENTS_STATEMENT:
    case ER_READ_ONLY_MODE:
      return true;
    default:
      return false;
  }
}

FailureKind mariadb_failure_kind(unsigned code, std::string_view text) {
  switch (code) {
    case ER_NET_PACKET_TOO_LARGE:
    case CR_NET_PACKET_TOO_LARGE:
    case ER_TOO_LONG_STRING:
      return FailureKind::TooLarge;
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_CHECKREAD:
    case ER_NEED_REPREPARE:
    case ER_TABLE_DEF_CHANGED:
    case ER_QUERY_INTERRUPTED:
      return FailureKind::Conflict;
    case ER_DUP_ENTRY:
    case ER_DUP_ENTRY_WITH_KEY_NAME:
    case ER_DB_CREATE_EXISTS:
    case ER_TABLE_EXISTS_ERROR:
    case ER_DUP_FIELDNAME:
    case ER_DUP_KEYNAME:
      return FailureKind::Duplicate;
    case ER_NO_SUCH_TABLE:
    case ER_NO_SUCH_TABLE_IN_ENGINE:
    case ER_BAD_TABLE_ERROR:
    case ER_BAD_DB_ERROR:
      return FailureKind::MissingTable;
    case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
    case ER_TRUNCATED_WRONG_VALUE:
    case ER_DATA_TOO_LONG:
    case ER_WARN_DATA_OUT_OF_RANGE:
    case ER_DATA_OUT_OF_RANGE:
    case ER_AUTOINC_READ_FAILED:
    case kAutoIncrementExhausted:
    case WARN_DATA_TRUNCATED:
    case ER_BAD_NULL_ERROR:
    case ER_NO_DEFAULT_FOR_FIELD:
    case ER_INVALID_CHARACTER_STRING:
    case ER_CONSTRAINT_FAILED:
      return FailureKind::Data;
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:
    case ER_ERROR_ON_WRITE:
      return FailureKind::Full;
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
    case ER_HOST_IS_BLOCKED:
    case ER_HOST_NOT_PRIVILEGED:
      return FailureKind::Denied;
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
      return FailureKind::Unreachable;
    // The storage engine's errno is in the text only; 28 is ENOSPC.
    case ER_GET_ERRNO:
      return text.find(" 28 ") != text.npos ? FailureKind::Full : FailureKind::Broken;
    default:
      return mariadb_connection_is_lost(code) ? FailureKind::Unreachable : FailureKind::Broken;
  }
}

void throw_mariadb(MariaDbSession& session, unsigned code, const char* text, std::string_view doing) {
  if (mariadb_connection_is_lost(code)) session.lost = true;
  throw Failure(mariadb_failure_kind(code, text), fmt::format("MariaDB {}: {} ({})", code, text, doing.substr(0, 200)),
                int(code));
}

}  // namespace posthaste::sql
