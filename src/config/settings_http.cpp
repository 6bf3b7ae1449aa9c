#include "config/field.h"
#include "config/setting.h"

namespace posthaste::config {

Settings http_settings() {
  return {
      integer("api.max_body_size", 67108864, "Bytes of a request's body.")
          .ours()
          .at_least(1024)
          .into(FIELD(api.max_body_size)),
      integer("api.max_message_size", 0, "Bytes of a message sent through the API; 0: only the body is limited.")
          .ours()
          .derives("0, or `smtp_server.max_message_size` in profile `modern`")
          .at_least(0)
          .into(FIELD(api.max_message_size)),
      integer("api.max_recipients", 1000, "Entries of `rcpt_to`.").ours().at_least(1).into(FIELD(api.max_recipients)),
      text("api.v1_invalid_recipients", "store",
           "Recipients that are no addresses: `store` (accepted, fail later, as Postal) or `reject`.")
          .ours()
          .modern(std::string("reject"))
          .one_of({"store", "reject"})
          .into(FIELD(api.v1_invalid_recipients)),
      boolean("api.keep_message_id", false, "Keep a valid `Message-ID` that the client gave in `headers`.")
          .ours()
          .modern(true)
          .into(FIELD(api.keep_message_id)),
      integer("api.idempotency_hours", 24, "Hours that an idempotency key is remembered.").ours().at_least(0),
      integer("api.max_schedule_days", 30, "Days that a message may be scheduled ahead.").ours().at_least(0),
      list("api.cors_origins", {}, "Origins that may call the management API from a browser.").ours(),
      integer("api.rate_limit", 50, "Requests a second of a token of the management API.").ours().at_least(0),
      integer("webhooks.timeout", 5, "Seconds for a webhook request, at most 30.")
          .ours()
          .at_least(1)
          .into(FIELD(webhooks.timeout)),
      integer("webhooks.concurrency", 256, "Webhook requests at the same time.")
          .ours()
          .at_least(1)
          .into(FIELD(webhooks.concurrency)),
      integer("webhooks.per_endpoint", 8, "Of them to one endpoint.")
          .ours()
          .at_least(1)
          .into(FIELD(webhooks.per_endpoint)),
      list("webhooks.extended_retries", {"30m", "1h", "3h", "6h", "12h", "24h"},
           "Delays after Postal's own retries; empty: Postal's six attempts.")
          .ours()
          .into(FIELD(webhooks.extended_retries)),
      integer("webhooks.history_days", 10, "Days that webhook requests are kept.").ours().at_least(0),
      integer("webhooks.event_days", 10, "Days that events are kept.").ours().at_least(0),
      integer("webhooks.dns_repeat_hours", 1, "Hours until `DomainDNSError` is repeated.")
          .ours()
          .modern(std::int64_t{24})
          .at_least(0),
      integer("webhooks.disable_after_days", 0, "Days of failures until a webhook is disabled; 0: never.")
          .ours()
          .at_least(0),
      text("tracking.bots", "count",
           "Clicks and opens by machines: `count` (as Postal), `flag` (webhooks say so) or `ignore` (kept, but in no "
           "figures and no webhook).")
          .ours()
          .modern(std::string("flag"))
          .one_of({"flag", "ignore", "count"})
          .into(FIELD(tracking.bots)),
      boolean("tracking.honeypot", false, "Add a hidden link that only machines follow.").ours(),
      text("tracking.ip", "full",
           "How much of the address of clicks and opens is kept: `full`, `truncated` (to /24, /48) or `none`.")
          .ours()
          .one_of({"full", "truncated", "none"})
          .into(FIELD(tracking.ip)),
      text("tracking.user_agent", "full",
           "How much of the user agent of clicks and opens is kept: `full`, `family` or `none`.")
          .ours()
          .one_of({"full", "family", "none"})
          .into(FIELD(tracking.user_agent)),
      boolean("tracking.acme", false, "Get certificates for tracking domains.").ours(),
  };
}

}  // namespace posthaste::config
