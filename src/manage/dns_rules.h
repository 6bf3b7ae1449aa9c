// What found records say of a domain (data-model.md 5.4): pure, so that every case can be tested without a name server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace posthaste::manage {

// Unknown: the name servers could not be asked; what was known before stays.
enum class DnsState { Ok, Missing, Invalid, Unknown };
// `OK`, `Missing`, `Invalid` as the columns hold them; `Unknown`.
std::string_view to_text(DnsState state);

struct Finding {
  DnsState state = DnsState::Unknown;
  std::string error;  // Postal's text; empty when all is well
};

// The TXT records that are SPF records.
std::vector<std::string> spf_records(const std::vector<std::string>& texts);
// The names behind `include:` and `redirect=`.
std::vector<std::string> spf_includes(std::string_view record);
// `included`: the SPF records of what the domain's own record includes, one level deep.
Finding judge_spf(const std::vector<std::string>& texts, const std::vector<std::string>& included,
                  std::string_view spf_include);

// The record may differ in order, blanks and optional tags; the key must be the same.
Finding judge_dkim(const std::vector<std::string>& texts, std::string_view name, std::string_view expected);

Finding judge_mx(const std::vector<std::string>& hosts, std::string_view domain,
                 const std::vector<std::string>& wanted);

// `chain`: the targets of the CNAME and of those that it leads to. `what`: `return path record` or `record`.
Finding judge_cname(const std::vector<std::string>& chain, std::string_view name, std::string_view target,
                    std::string_view what);

Finding judge_dmarc(const std::vector<std::string>& texts, std::string_view name);
Finding judge_verification(const std::vector<std::string>& texts, std::string_view domain, std::string_view expected);

// Names are the same regardless of case and of a dot at the end.
bool same_name(std::string_view a, std::string_view b);

}  // namespace posthaste::manage
