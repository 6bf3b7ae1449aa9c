#include "mail/report_parts.h"

#include <gmime/gmime.h>

#include <memory>
#include <mutex>

#include "base/strings.h"
#include "mail/address_fields.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kMostBytes = 4 * 1024 * 1024;  // of the message
constexpr std::size_t kMostOfPart = 512 * 1024;
constexpr std::size_t kMostParts = 50;
constexpr int kMostDepth = 16;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

void start_library() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

std::string text_of(const char* text) { return text ? std::string(text) : std::string(); }

std::string type_of(GMimeObject* object) {
  GMimeContentType* type = g_mime_object_get_content_type(object);
  if (!type) return "text/plain";
  return to_lower(text_of(g_mime_content_type_get_media_type(type)) + "/" +
                  text_of(g_mime_content_type_get_media_subtype(type)));
}

std::string bytes_of(GMimeStream* memory) {
  GByteArray* array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
  return {reinterpret_cast<const char*>(array->data), std::min<std::size_t>(array->len, kMostOfPart)};
}

std::string content_of(GMimeObject* object) {
  Owned<GMimeStream> out(g_mime_stream_mem_new());
  if (GMIME_IS_MESSAGE_PART(object)) {
    if (GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)))
      g_mime_object_write_to_stream(GMIME_OBJECT(inner), nullptr, out.get());
  } else if (GMIME_IS_PART(object)) {
    if (GMimeDataWrapper* wrapper = g_mime_part_get_content(GMIME_PART(object)))
      g_mime_data_wrapper_write_to_stream(wrapper, out.get());
  }
  return bytes_of(out.get());
}

void collect(GMimeObject* object, int depth, std::vector<ReportPart>& parts) {
  if (!object || parts.size() >= kMostParts) return;
  if (GMIME_IS_MULTIPART(object)) {
    if (depth >= kMostDepth) return;
    const int count = std::min(g_mime_multipart_get_count(GMIME_MULTIPART(object)), int(kMostParts));
    for (int i = 0; i < count; ++i) collect(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1, parts);
    return;
  }
  std::string type = type_of(object);
  if (type.starts_with("text/") || type.starts_with("message/")) parts.push_back({std::move(type), content_of(object)});
}

}  // namespace

ReportParts report_parts(std::string_view message) {
  start_library();
  auto head = message.substr(0, kMostBytes);
  const auto harmless = without_deep_addresses(head);
  if (harmless) head = *harmless;
  Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(head.data(), head.size()));
  Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  Owned<GMimeMessage> parsed(g_mime_parser_construct_message(parser.get(), nullptr));
  ReportParts found;
  GMimeObject* root = parsed ? g_mime_message_get_mime_part(parsed.get()) : nullptr;
  if (!root) return found;
  found.type = type_of(root);
  if (GMimeContentType* type = g_mime_object_get_content_type(root))
    found.report_type = to_lower(text_of(g_mime_content_type_get_parameter(type, "report-type")));
  collect(root, 0, found.parts);
  return found;
}

}  // namespace posthaste::mail
