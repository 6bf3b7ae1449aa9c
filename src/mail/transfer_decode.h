// The bytes behind a transfer encoding, whatever state they are in (inbound-processing.md 14.4, 14.6). Never fails.
#pragma once

#include <string>
#include <string_view>

namespace posthaste::mail {

enum class TransferEncoding { None, SevenBit, EightBit, Binary, QuotedPrintable, Base64, Uuencode };

// The value of Content-Transfer-Encoding in any case, with comments, blanks and quotes. Empty: None; unknown ones are
// read as binary.
TransferEncoding transfer_encoding(std::string_view value);

// Foreign characters are skipped and missing padding is forgiven; padding in the middle begins anew. Uuencode: what
// stands between `begin` and `end`.
std::string decode_transfer(std::string_view body, TransferEncoding encoding);

}  // namespace posthaste::mail
