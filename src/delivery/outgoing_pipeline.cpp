// The way of an outgoing message.
#include "delivery/pipeline.h"
#include "delivery/steps.h"

namespace posthaste::delivery {

namespace {

constexpr Step kSteps[] = {
    {"find_message", "S1", find_message},
    {"find_mail_server", "S2", find_mail_server},
    {"hold_while_suspended", "S2", hold_while_suspended},
    {"fail_after_last_attempt", "S3", fail_after_last_attempt},
    {"find_raw_message", "S4", find_raw_message},
    {"check_scope", "S6", check_scope},
    {"check_domain", "O1", check_domain},
    {"check_recipient", "O2", check_recipient},
    {"find_tag", "O3", find_tag},
    {"hold_by_credential", "O4", hold_by_credential},
    {"hold_if_suppressed", "O5", hold_if_suppressed},
    {"track", "O6", track},
    {"inspect", "O7", inspect},
    {"fail_if_spam", "O8", fail_if_spam},
    {"add_headers", "O9", add_headers},
    {"check_send_limit", "O10", check_send_limit},
    {"hold_in_development", "O12", hold_in_development},
    {"address_envelope", "12.5", address_envelope},
    {"send", "O11, O13", nullptr},
    {"fail_unknown_domain", "11.2", fail_unknown_domain, after_unknown_domain},
    {"suppress_after_hard_fails", "O14", suppress_after_hard_fails, after_hard_fail},
    {"unsuppress_after_success", "O15", unsuppress_after_success},
};

}  // namespace

std::span<const Step> outgoing_pipeline() { return kSteps; }

}  // namespace posthaste::delivery
