// The suppression list of a mail server (data-model.md 13.1): recipients that get nothing until an entry expires. It
// lies in the mail server's own database, so it is changed apart from everything else.
#pragma once

#include <string>
#include <vector>

#include "manage/work.h"

namespace posthaste::manage {

struct Suppression {
  std::string address, reason;
  Time keep_until;
};

// All that have not expired, by address.
std::vector<Suppression> suppressions_of(const Context& context, Id server_id);

// What set_suppressions did.
struct SuppressionChanges {
  std::vector<std::string> added, changed, removed;
};
// Adds these, or gives them this reason; an entry that is there already keeps its end. Without keep_until: as long as
// postal.default_suppression_list_automatic_removal_days says. `only`: all others are removed.
struct NewSuppression {
  std::string address;
  std::optional<std::string> reason;
  std::optional<Time> keep_until;
};
Result<SuppressionChanges> set_suppressions(const Context& context, Id server_id,
                                            const std::vector<NewSuppression>& wanted, bool only = false);
// What set_suppressions would do.
Result<SuppressionChanges> compare_suppressions(const Context& context, Id server_id,
                                                const std::vector<NewSuppression>& wanted, bool only = false);
// False if it was not on the list.
bool remove_suppression(const Context& context, Id server_id, std::string_view address);

}  // namespace posthaste::manage
