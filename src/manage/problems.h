// What is wrong with a change, in Postal's words (data-model.md section 4): full sentences as a form shows them.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manage/field.h"

namespace posthaste::manage {

// Standard texts.
constexpr std::string_view kBlank = "can't be blank";
constexpr std::string_view kTaken = "has already been taken";
constexpr std::string_view kInvalid = "is invalid";
constexpr std::string_view kNotIncluded = "is not included in the list";
constexpr std::string_view kReserved = "is reserved";
constexpr std::string_view kMustExist = "must exist";

class Problems {
 public:
  void add(std::string_view attribute, std::string_view text);  // `Name`, `can't be blank`
  void base(std::string_view sentence);

  // Drops what was wrong before and was not touched: rows that Postal's older versions or hands in SQL left may be
  // changed in other respects. `changed`: names of columns.
  void forgive(const Problems& before, const std::vector<std::string>& changed);

  bool none() const { return problems_.empty(); }
  std::vector<std::string> messages() const;
  // An Error of kind Invalid; error_messages() gives the list back.
  std::unexpected<Error> refuse() const;

 private:
  struct Problem {
    std::string attribute, text;  // attribute empty: a sentence of its own
    bool operator==(const Problem&) const = default;
  };
  void note(Problem problem);

  std::vector<Problem> problems_;
};

// The sentences of an error made by Problems::refuse(), one each; the whole text for any other.
std::vector<std::string> error_messages(const Error& error);

// Rules that several models share. Each adds its standard text.
void check_present(Problems& problems, std::string_view attribute, const Field<std::string>& field);
void check_length(Problems& problems, std::string_view attribute, const Field<std::string>& field,
                  std::size_t maximum = 255);
void check_included(Problems& problems, std::string_view attribute, const Field<std::string>& field,
                    std::initializer_list<std::string_view> allowed);
void check_letters(Problems& problems, std::string_view attribute, const Field<std::string>& field,
                   bool (*allowed)(char));
void check_reserved(Problems& problems, std::string_view attribute, const Field<std::string>& field,
                    std::initializer_list<std::string_view> reserved);

bool is_permalink_letter(char c);  // a-z 0-9 -
bool is_host_letter(char c);       // a-z 0-9 - .
// `https?://` and Postal's letters (data-model.md 4.10), any case.
bool is_web_url(std::string_view text);

}  // namespace posthaste::manage
