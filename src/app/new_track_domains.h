// The first look at the DNS of tracking domains that a command has just made (data-model.md 4.9): links are put into
// mail once it says that their host leads here.
#pragma once

#include <span>

#include "app/command.h"
#include "store/records.h"

namespace posthaste::app {

// What nobody answers about stays unchecked; that is noted.
void check_new_track_domains(Call& call, std::span<const store::Id> ids);

}  // namespace posthaste::app
