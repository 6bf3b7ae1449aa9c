// The way of an incoming message.
#include "delivery/bounce_match.h"
#include "delivery/incoming_steps.h"
#include "delivery/pipeline.h"
#include "delivery/steps.h"

namespace posthaste::delivery {

namespace {

constexpr Step kSteps[] = {
    {"find_message", "5.2", find_message},
    {"find_mail_server", "5.2", find_mail_server},
    {"hold_while_suspended", "5.2", hold_while_suspended},
    {"bounce_after_last_attempt", "5.2", bounce_after_last_attempt},
    {"find_raw_message", "5.2", find_raw_message},
    {"match_bounce", "6.1", match_bounce},
    {"count_received", "6.2", count_received},
    {"inspect", "6.3", inspect},
    {"fail_above_spam_threshold", "6.4", fail_above_spam_threshold},
    {"hold_in_development", "6.5", hold_in_development},
    {"find_route", "6.6", find_route},
    {"follow_spam_mode", "6.7", follow_spam_mode},
    {"follow_accept_mode", "6.8", follow_accept_mode},
    {"follow_hold_mode", "6.9", follow_hold_mode},
    {"follow_bounce_mode", "6.10", follow_bounce_mode},
    {"find_endpoint", "6.11", find_endpoint},
    {"stop_forwarding_loop", "9", stop_forwarding_loop},
    {"address_forwarding", "9", address_forwarding},
    {"send", "6.11", nullptr},
    {"bounce_after_refusal", "6.12", bounce_after_refusal, after_refusal},
    {"note_endpoint_used", "6.14", note_endpoint_used},
};

}  // namespace

std::span<const Step> incoming_pipeline() { return kSteps; }

}  // namespace posthaste::delivery
