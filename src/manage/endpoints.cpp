#include "manage/endpoints.h"

#include "base/strings.h"
#include "manage/problems.h"
#include "manage/routes.h"

namespace posthaste::manage {

namespace {

void apply_defaults(HttpEndpointFields& endpoint) {
  endpoint.timeout.default_to(5);
  endpoint.strip_replies.default_to(false);
  endpoint.include_attachments.default_to(true);
}
void apply_defaults(SmtpEndpointFields&) {}
void apply_defaults(AddressEndpointFields&) {}

void validate(Work&, const HttpEndpointFields& endpoint, Id, Problems& problems) {
  check_present(problems, "Name", endpoint.name);
  check_length(problems, "Name", endpoint.name);
  check_present(problems, "Url", endpoint.url);
  check_length(problems, "Url", endpoint.url);
  check_included(problems, "Encoding", endpoint.encoding, {"BodyAsJSON", "FormData"});
  check_included(problems, "Format", endpoint.format, {"Hash", "RawMessage"});
  if (!endpoint.timeout.has_value()) return problems.add("Timeout", "is not a number");
  if (*endpoint.timeout < 5) problems.add("Timeout", "must be greater than or equal to 5");
  if (*endpoint.timeout > 60) problems.add("Timeout", "must be less than or equal to 60");
}

void validate(Work&, const SmtpEndpointFields& endpoint, Id, Problems& problems) {
  check_present(problems, "Name", endpoint.name);
  check_length(problems, "Name", endpoint.name);
  check_present(problems, "Hostname", endpoint.hostname);
  check_length(problems, "Hostname", endpoint.hostname);
  check_letters(problems, "Hostname", endpoint.hostname, is_host_letter);
  check_included(problems, "SSL mode", endpoint.ssl_mode, {"None", "Auto", "STARTTLS", "TLS"});
  if (!endpoint.port.has_value()) return;
  if (*endpoint.port < 1) problems.add("Port", "must be greater than or equal to 1");
  if (*endpoint.port > 65535) problems.add("Port", "must be less than or equal to 65535");
}

void validate(Work& work, const AddressEndpointFields& endpoint, Id id, Problems& problems) {
  check_present(problems, "Address", endpoint.address);
  check_length(problems, "Address", endpoint.address);
  if (is_blank(endpoint.address)) return;
  if (!endpoint.address->contains('@')) problems.add("Address", kInvalid);
  if (work.exists("SELECT `id` FROM {main}`address_endpoints` WHERE `server_id` = ? AND `address` = ? AND `id` <> ?",
                  {endpoint.server_id.value_or(0), *endpoint.address, id}))
    problems.add("Address", "has already been added");
}

}  // namespace

template <class Fields>
Result<Row<Fields>> create_endpoint(Work& work, Id server_id, Fields fields, std::string uuid) {
  fields.server_id = server_id;
  apply_defaults(fields);
  Problems problems;
  validate(work, fields, 0, problems);
  if (!problems.none()) return problems.refuse();
  return insert(work, std::move(fields), std::move(uuid));
}

template <class Fields>
Result<Row<Fields>> update_endpoint(Work& work, Id id, const Fields& fields) {
  return change(work, id, Fields::kText, fields,
                [&](const Fields& f, Problems& found) { validate(work, f, id, found); });
}

template <class Fields>
Result<> delete_endpoint(Work& work, Id id) {
  detach_endpoint(work, {std::string(Fields::kType), id});
  if (work.run(fmt::format("DELETE FROM {{main}}`{}` WHERE `id` = ?", Fields::kTable), {id}).affected == 0)
    return fail(ErrorKind::NotFound, fmt::format("there is no {} with the id {}", Fields::kText, id));
  return {};
}

template <class Fields>
std::optional<Row<Fields>> find_endpoint(Work& work, Id server_id, std::string_view key) {
  return select_one<Fields>(work, fmt::format("`server_id` = ? AND `{}` = ?", Fields::key().name), {server_id, key});
}

template <class Fields>
std::vector<Row<Fields>> endpoints_of(Work& work, Id server_id) {
  return select<Fields>(work, "`server_id` = ?", {server_id});
}

#define POSTHASTE_ENDPOINT(Fields)                                                        \
  template Result<Row<Fields>> create_endpoint(Work&, Id, Fields, std::string);           \
  template Result<Row<Fields>> update_endpoint(Work&, Id, const Fields&);                 \
  template Result<> delete_endpoint<Fields>(Work&, Id);                                   \
  template std::optional<Row<Fields>> find_endpoint<Fields>(Work&, Id, std::string_view); \
  template std::vector<Row<Fields>> endpoints_of<Fields>(Work&, Id);
POSTHASTE_ENDPOINT(HttpEndpointFields)
POSTHASTE_ENDPOINT(SmtpEndpointFields)
POSTHASTE_ENDPOINT(AddressEndpointFields)
#undef POSTHASTE_ENDPOINT

}  // namespace posthaste::manage
