#include "app/new_track_domains.h"

#include "app/change.h"
#include "manage/dns_check.h"

namespace posthaste::app {

void check_new_track_domains(Call& call, std::span<const store::Id> ids) {
  auto& installation = *call.installation;
  for (const store::Id id : ids) {
    auto domain = manage::track_domain_to_check(context_of(call), id);
    if (!domain) continue;
    const std::string name = domain->names.name;
    const auto checked =
        installation.wait(manage::check_track_domains(installation.resolver, installation.config, std::move(*domain)));
    manage::store_domain_check(context_of(call), checked);
    if (!checked.answered())
      call.note(fmt::format("No name server answered about the tracking domain of {0}; `domain check {0}` looks again.",
                            name));
  }
}

}  // namespace posthaste::app
