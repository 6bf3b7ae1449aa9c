// One request in libcurl's hands: its options, what came back, and what that means.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "io/curl.h"

namespace posthaste::io {

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, FreeList>;

class RunningTransfer {
 public:
  explicit RunningTransfer(std::unique_ptr<Transfer> transfer);
  RunningTransfer(const RunningTransfer&) = delete;

  void prepare();  // throws when libcurl will not have it; finish() answers all the same
  CURL* easy() const { return easy_.get(); }
  void finish(CURLcode result);  // answers
  void give_up();                // likewise: the process ends

 private:
  void set_destination();
  void set_request();
  void set_limits();
  void take_header(std::string_view line);
  std::size_t take_body(std::string_view bytes);
  HttpAnswer answer_to(CURLcode result);
  HttpAnswer failure(CURLcode result, long status);
  std::string timeout_text(Duration took) const;

  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);

  std::unique_ptr<Transfer> transfer_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  CurlList headers_, resolve_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string body_;
  HttpFields fields_;
  std::size_t field_bytes_ = 0;
  bool cut_ = false;  // the body has more than we read
};

}  // namespace posthaste::io
