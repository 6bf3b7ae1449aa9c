// send/message: read, check in Postal's order, build, store.
#include "api/v1/compose.h"
#include "api/v1/recipients.h"
#include "api/v1/text.h"
#include "base/random.h"
#include "base/strings.h"

namespace posthaste::api::v1 {

namespace {

// From here on building may take longer than a loop should be held.
constexpr std::size_t kLongWork = 256 * 1024;

std::size_t weight(const SendFields& fields) {
  std::size_t bytes = fields.plain.value_or("").size() + fields.html.value_or("").size();
  for (const auto& attachment : fields.attachments) bytes += attachment.data.size();
  return bytes;
}

Recipients recipients_of(const Call& call, const SendFields& fields, Complaints& complaints) {
  Recipients recipients(call.config().api.v1_invalid_recipients == "reject", call.modern());
  const auto add = [&](std::string_view name, const std::vector<std::string>& entries) {
    for (const auto& entry : entries) {
      std::string address = strip_address(entry);
      std::string envelope = with_ascii_domain(address);
      recipients.add(name, std::move(address), std::move(envelope), complaints);
    }
  };
  add("to", fields.to);
  add("cc", fields.cc);
  add("bcc", fields.bcc);
  return recipients;
}

std::string flags_of(const CustomHeaders& custom, const Recipients& recipients) {
  auto flags = writer();
  flags.begin_object();
  const auto list = [&](std::string_view name, const std::vector<std::string>& items) {
    if (items.empty()) return;
    flags.key(name).begin_array();
    for (const auto& item : items) flags.value(item);
    flags.end_array();
  };
  list("dropped_headers", custom.dropped());
  list("duplicates", recipients.duplicates());
  return flags.end_object().take();
}

struct Checked {
  Outgoing outgoing;
  mail::Composition composition;
  std::size_t bytes = 0;
};

std::expected<Checked, Answer> check(const Call& call) {
  auto fields = read_send_fields(call.parameters, call.modern());
  if (!fields) return std::unexpected(std::move(fields.error()));
  const auto sender = authorise_sender(*call.directory, call.server, fields->from, fields->sender);
  if (auto fault = first_fault(*fields, sender)) return std::unexpected(std::move(*fault));

  Complaints complaints;
  CustomHeaders custom(fields->headers, call.modern(), complaints);
  const Recipients recipients = recipients_of(call, *fields, complaints);
  if (utf8_prefix(fields->tag, 255) != fields->tag) complain(complaints, "tag", "is longer than 255 characters");
  if (!has_storable_length(sender->mail_from)) complain(complaints, "from", "is too long for an e-mail address");
  if (!complaints.empty()) return std::unexpected(validation_error(complaints));

  Checked checked;
  checked.outgoing.recipients = recipients.all();
  checked.outgoing.mail_from = sender->mail_from;
  checked.outgoing.tag = clean_utf8(fields->tag);
  checked.outgoing.domain_id = sender->domain_id;
  checked.outgoing.bounce = fields->bounce;
  checked.outgoing.flags = flags_of(custom, recipients);
  checked.bytes = weight(*fields);
  checked.composition = compose(call, std::move(*fields), custom);
  return checked;
}

}  // namespace

io::Task<Answer> send_message(Call call) {
  auto checked = check(call);
  if (!checked) co_return std::move(checked.error());
  call.parameters = Json();  // the attachments' text is not needed any more

  if (checked->bytes <= kLongWork) {
    checked->outgoing.raw = mail::build_message(checked->composition, random_alphanumeric);
  } else {
    auto build = [composition = std::move(checked->composition)] {
      return mail::build_message(composition, random_alphanumeric);
    };
    auto task = call.around.pool.run(std::move(build));
    checked->outgoing.raw = co_await std::move(task);
  }
  auto store = store_outgoing(call, std::move(checked->outgoing));
  Answer answer = co_await std::move(store);
  co_return answer;
}

}  // namespace posthaste::api::v1
