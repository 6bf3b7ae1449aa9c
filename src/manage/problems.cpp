#include "manage/problems.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace posthaste::manage {

namespace {
constexpr std::string_view kSeparator = "; ";  // no text of a rule contains it

std::size_t code_points(std::string_view text) {
  return std::size_t(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}
}  // namespace

bool is_blank(const Field<std::string>& field) { return !field.has_value() || posthaste::is_blank(*field); }

void Problems::add(std::string_view attribute, std::string_view text) {
  note({std::string(attribute), std::string(text)});
}

void Problems::base(std::string_view sentence) { note({"", std::string(sentence)}); }

void Problems::note(Problem problem) {
  if (std::ranges::find(problems_, problem) == problems_.end()) problems_.push_back(std::move(problem));
}

void Problems::forgive(const Problems& before, const std::vector<std::string>& changed) {
  auto touched = [&](const Problem& problem) {
    // `Email address` is about email_address, `IP pool` about ip_pool_id.
    auto column = replace_all(to_lower(problem.attribute), " ", "_");
    return std::ranges::any_of(changed, [&](const auto& name) { return name == column || name == column + "_id"; });
  };
  std::erase_if(problems_, [&](const Problem& problem) {
    return std::ranges::find(before.problems_, problem) != before.problems_.end() && !touched(problem);
  });
}

std::vector<std::string> Problems::messages() const {
  std::vector<std::string> messages;
  for (const auto& [attribute, text] : problems_)
    messages.push_back(attribute.empty() ? text : fmt::format("{} {}", attribute, text));
  return messages;
}

std::unexpected<Error> Problems::refuse() const { return fail(ErrorKind::Invalid, join(messages(), kSeparator)); }

std::vector<std::string> error_messages(const Error& error) {
  std::vector<std::string> messages;
  std::string_view rest = error.text;
  for (std::size_t at; (at = rest.find(kSeparator)) != rest.npos; rest.remove_prefix(at + kSeparator.size()))
    messages.emplace_back(rest.substr(0, at));
  messages.emplace_back(rest);
  return messages;
}

void check_present(Problems& problems, std::string_view attribute, const Field<std::string>& field) {
  if (is_blank(field)) problems.add(attribute, kBlank);
}

void check_length(Problems& problems, std::string_view attribute, const Field<std::string>& field,
                  std::size_t maximum) {
  if (!field.has_value()) return;
  if (!is_utf8(*field) || field->find('\0') != field->npos) return problems.add(attribute, kInvalid);
  if (code_points(*field) > maximum)
    problems.add(attribute, fmt::format("is too long (maximum is {} characters)", maximum));
}

void check_included(Problems& problems, std::string_view attribute, const Field<std::string>& field,
                    std::initializer_list<std::string_view> allowed) {
  if (!field.has_value() || std::ranges::find(allowed, std::string_view(*field)) == allowed.end())
    problems.add(attribute, kNotIncluded);
}

void check_letters(Problems& problems, std::string_view attribute, const Field<std::string>& field,
                   bool (*allowed)(char)) {
  if (field.has_value() && !std::ranges::all_of(*field, allowed)) problems.add(attribute, kInvalid);
}

void check_reserved(Problems& problems, std::string_view attribute, const Field<std::string>& field,
                    std::initializer_list<std::string_view> reserved) {
  if (field.has_value() && std::ranges::find(reserved, std::string_view(*field)) != reserved.end())
    problems.add(attribute, kReserved);
}

bool is_permalink_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }
bool is_host_letter(char c) { return is_permalink_letter(c) || c == '.'; }

bool is_web_url(std::string_view text) {
  auto rest = text;
  for (std::string_view scheme : {"https://", "http://"})
    if (istarts_with(rest, scheme)) {
      rest.remove_prefix(scheme.size());
      return !rest.empty() && std::ranges::all_of(rest, [](char c) {
        return is_host_letter(ascii_lower(c)) || std::string_view("_?=&/+:%@").contains(c);
      });
    }
  return false;
}

}  // namespace posthaste::manage
