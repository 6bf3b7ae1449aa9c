// What a delivery report means for the message it is about (inbound-processing.md 18.2). Pure.
#pragma once

#include <string>
#include <string_view>

namespace posthaste::policy {

enum class BounceClass {
  Hard,     // the mailbox or its domain does not exist: the address should not be tried again
  Soft,     // failed for another reason
  Policy,   // refused for what was sent or from where
  Delayed,  // the remote server goes on trying
  Success,  // delivered, or handed on
};
std::string_view to_text(BounceClass value);  // `hard`
bool failed(BounceClass value);

// The fields of one recipient's block: `failed`, `5.1.1`, `550 5.1.1 no such user` (without the type in front). Each
// may be empty; without an action the status decides, without both it has failed.
BounceClass classify_bounce(std::string_view action, std::string_view status, std::string_view diagnostic);

}  // namespace posthaste::policy
