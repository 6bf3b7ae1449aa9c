// One value of a change: not given (stays as it is, or takes its default), given as nothing (NULL), or given.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>

namespace posthaste::manage {

template <class T>
class Field {
 public:
  using Value = T;

  Field() = default;
  Field(std::nullopt_t) : given_(true) {}
  Field(std::optional<T> value) : given_(true), value_(std::move(value)) {}
  template <class U>
    requires(std::convertible_to<U, T> && !std::same_as<std::remove_cvref_t<U>, Field> &&
             !std::same_as<std::remove_cvref_t<U>, std::optional<T>> &&
             !std::same_as<std::remove_cvref_t<U>, std::nullopt_t>)
  Field(U&& value) : given_(true), value_(T(std::forward<U>(value))) {}

  bool given() const { return given_; }
  bool has_value() const { return value_.has_value(); }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return &*value_; }
  T value_or(T other) const { return value_.value_or(std::move(other)); }
  const std::optional<T>& maybe() const { return value_; }

  // Takes this value if none was given.
  void default_to(T value) {
    if (!given_) *this = Field(std::move(value));
  }
  // Takes what the other one gives.
  void overlay(const Field& other) {
    if (other.given_) *this = other;
  }
  // The same value; not given counts as nothing.
  bool same(const Field& other) const { return value_ == other.value_; }

 private:
  bool given_ = false;
  std::optional<T> value_;
};

// Nothing, empty and white space alike, as Postal's models see it.
bool is_blank(const Field<std::string>& field);

}  // namespace posthaste::manage
