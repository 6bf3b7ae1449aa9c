// Where routes lead (data-model.md 4.7): HTTP endpoints, SMTP endpoints and addresses.
#pragma once

#include "manage/rows.h"

namespace posthaste::manage {

struct HttpEndpointFields {
  Field<std::string> name, url, encoding, format;  // BodyAsJSON, FormData; Hash, RawMessage
  Field<Id> server_id;
  Field<bool> strip_replies, include_attachments;
  Field<std::int64_t> timeout;  // seconds

  static constexpr std::string_view kTable = "http_endpoints", kType = "HTTPEndpoint", kText = "HTTP endpoint";
  static constexpr auto columns() {
    using F = HttpEndpointFields;
    return std::tuple(Column{"name", &F::name}, Column{"url", &F::url}, Column{"encoding", &F::encoding},
                      Column{"format", &F::format}, Column{"server_id", &F::server_id},
                      Column{"strip_replies", &F::strip_replies},
                      Column{"include_attachments", &F::include_attachments}, Column{"timeout", &F::timeout});
  }
  static constexpr auto key() { return Column{"name", &HttpEndpointFields::name}; }
};

struct SmtpEndpointFields {
  Field<std::string> name, hostname, ssl_mode;  // None, Auto, STARTTLS, TLS
  Field<Id> server_id;
  Field<std::int64_t> port;  // NULL: 25

  static constexpr std::string_view kTable = "smtp_endpoints", kType = "SMTPEndpoint", kText = "SMTP endpoint";
  static constexpr auto columns() {
    using F = SmtpEndpointFields;
    return std::tuple(Column{"name", &F::name}, Column{"hostname", &F::hostname}, Column{"ssl_mode", &F::ssl_mode},
                      Column{"server_id", &F::server_id}, Column{"port", &F::port});
  }
  static constexpr auto key() { return Column{"name", &SmtpEndpointFields::name}; }
};

struct AddressEndpointFields {
  Field<std::string> address;
  Field<Id> server_id;

  static constexpr std::string_view kTable = "address_endpoints", kType = "AddressEndpoint", kText = "address endpoint";
  static constexpr auto columns() {
    using F = AddressEndpointFields;
    return std::tuple(Column{"address", &F::address}, Column{"server_id", &F::server_id});
  }
  static constexpr auto key() { return Column{"address", &AddressEndpointFields::address}; }
};

// Instantiated for the three kinds of endpoints.
template <class Fields>
Result<Row<Fields>> create_endpoint(Work& work, Id server_id, Fields fields, std::string uuid = {});
template <class Fields>
Result<Row<Fields>> update_endpoint(Work& work, Id id, const Fields& fields);
// Routes that lead to it become Reject, additional ones go.
template <class Fields>
Result<> delete_endpoint(Work& work, Id id);
// By name or address.
template <class Fields>
std::optional<Row<Fields>> find_endpoint(Work& work, Id server_id, std::string_view key);
template <class Fields>
std::vector<Row<Fields>> endpoints_of(Work& work, Id server_id);

}  // namespace posthaste::manage
