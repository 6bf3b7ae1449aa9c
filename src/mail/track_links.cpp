#include "mail/track_links.h"

#include <set>

#include "base/strings.h"
#include "mail/header.h"
#include "mail/html_links.h"
#include "mail/mime_leaves.h"
#include "mail/transfer_text.h"
#include "mail/web_url.h"

namespace posthaste::mail {

namespace {

constexpr std::string_view kOwnFields[] = {"X-AMP", "X-Postal-Track"};

bool has_ascii(std::string_view charset) {
  const std::string name = to_lower(charset);
  constexpr std::string_view kOthers[] = {
      "utf-16", "utf16",       "utf-32",      "utf32",  "ucs-",   "iso-10646", "utf-7",   "unicode-1-1-utf-7",
      "hz",     "iso-2022-kr", "iso-2022-cn", "ebcdic", "ibm037", "ibm500",    "ibm1047", "cp037",
      "cp500",  "cp1047"};
  return std::ranges::none_of(kOthers, [&](std::string_view other) { return name.starts_with(other); });
}

bool is_utf8_name(std::string_view charset) {
  return charset.empty() || iequals(charset, "utf-8") || iequals(charset, "utf8") || iequals(charset, "us-ascii");
}

enum class Kind { None, Text, Html };

// Which of the leaves may be changed at all.
Kind kind_of(const MimeLeaf& leaf) {
  const bool text = leaf.type.value == "text/plain", html = leaf.type.value == "text/html";
  if (!text && !html) return Kind::None;
  const bool file = leaf.disposition.value == "attachment" || leaf.disposition.has("filename") ||
                    leaf.disposition.has("name") || leaf.type.has("name") || leaf.type.has("filename");
  if (file || leaf.body.size() > kMaxTrackedText || !has_ascii(leaf.type.parameter("charset"))) return Kind::None;
  return html ? Kind::Html : Kind::Text;
}

// Signed or encrypted by hand, within the text; and what is no text.
bool must_stay(std::string_view text) {
  return text.contains('\0') || text.starts_with("-----BEGIN PGP ") || text.contains("\n-----BEGIN PGP ");
}

// An entry is compared with the host alone, its own port does not matter.
bool covers(std::string_view entry, std::string_view host) {
  entry = trim(entry);
  if (entry.starts_with("*.")) {
    entry.remove_prefix(1);
    return host.size() > entry.size() && iequals(host.substr(host.size() - entry.size()), entry);
  }
  if (!entry.starts_with('[')) entry = entry.substr(0, entry.find(':'));
  return iequals(entry, host);
}

class Tracker {
 public:
  Tracker(std::string_view headers, std::string_view body, TrackRules rules,
          const std::function<std::string()>& new_token)
      : headers_(headers), body_(body), rules_(std::move(rules)), new_token_(new_token) {}

  TrackResult run() {
    read_fields();
    const auto leaves = mime_leaves(headers_, body_);
    const MimeLeaf* last_html = nullptr;
    for (const MimeLeaf& leaf : leaves)
      if (kind_of(leaf) == Kind::Html) last_html = &leaf;
    for (const MimeLeaf& leaf : leaves) change_leaf(leaf, &leaf == last_html && rules_.loads);
    if (!body_edits_.empty()) result_.body = apply_edits(body_, body_edits_);
    if (!header_edits_.empty()) result_.headers = new_headers();
    return std::move(result_);
  }

 private:
  void read_fields() {
    for (const HeaderField& field : header_fields(headers_)) {
      const std::string value = to_lower(unfold(field.value));
      if (field.is("X-AMP")) skip_ = value == "skip";
      if (field.is("X-Postal-Track")) track_ = value;
      if (field.is("List-Unsubscribe")) note_unsubscribe(unfold(field.value));
      if (std::ranges::any_of(kOwnFields, [&](std::string_view own) { return field.is(own); })) remove(field.whole);
    }
    const bool none = skip_ || track_ == "no";
    rules_.clicks = rules_.clicks && !none && track_ != "opens";
    rules_.loads = rules_.loads && !none && track_ != "clicks";
  }

  // The URIs in `<...>`, separated by commas.
  void note_unsubscribe(std::string_view value) {
    for (std::size_t at = 0; (at = value.find('<', at)) < value.size();) {
      const std::size_t end = std::min(value.find('>', at), value.size());
      unsubscribe_.emplace(trim(value.substr(at + 1, end - at - 1)));
      at = end;
    }
  }

  void change_leaf(const MimeLeaf& leaf, bool pixel) {
    const Kind kind = kind_of(leaf);
    if (kind == Kind::None) return;
    const auto content = TransferText::open(leaf.body, leaf.transfer_encoding);
    if (!content || must_stay(content->text())) return;
    const std::vector<Edit> edits = edits_of(leaf, kind, content->text(), pixel);
    if (edits.empty()) return;
    auto written = content->with(edits);
    if (written.now_quoted_printable) name_quoted_printable(leaf);
    replace(leaf.body, std::move(written.body));
  }

  std::vector<Edit> edits_of(const MimeLeaf& leaf, Kind kind, std::string_view text, bool pixel) {
    const std::string_view charset = leaf.type.parameter("charset");
    std::vector<Edit> edits;
    std::optional<std::size_t> body_end;
    if (kind == Kind::Html && (rules_.clicks || pixel)) {
      const HtmlPlaces places = find_html_links(text);
      body_end = places.body_end;
      for (const auto& [begin, end] : places.hrefs)
        if (takes_link(begin, end))
          add_link(edits, begin, end, decode_html_value(to_utf8(text.substr(begin, end - begin), charset)));
    }
    if (kind == Kind::Text && rules_.clicks) {
      const PlainText plain{is_utf8_name(charset) && is_utf8(text), iequals(leaf.type.parameter("delsp"), "yes")};
      for (const auto& [begin, end] : find_text_urls(text, plain))
        if (takes_link(begin, end)) add_link(edits, begin, end, to_utf8(text.substr(begin, end - begin), charset));
    }
    remove_notrack(edits, text);
    if (pixel) add_pixel(edits, body_end.value_or(text.size()));
    return edits;
  }

  // Asked before anything is decoded: decoding costs far more than finding.
  bool takes_link(std::size_t begin, std::size_t end) const {
    return rules_.clicks && result_.links.size() < kMaxTrackedLinks && end - begin <= kMaxTrackedUrl;
  }

  void add_link(std::vector<Edit>& edits, std::size_t begin, std::size_t end, const std::string& target) {
    auto url = parse_web_url(target);
    if (!url || url->text.size() > kMaxTrackedUrl || stays(*url)) return;
    std::string token = new_token_();
    edits.push_back({begin, end, rules_.link_prefix + token});
    result_.links.push_back({std::move(token), std::move(url->text)});
  }

  bool stays(const WebUrl& url) const {
    if (iequals(url.host, rules_.host) || unsubscribe_.contains(url.text)) return true;
    return std::ranges::any_of(rules_.excluded, [&](const auto& entry) { return covers(entry, url.host); });
  }

  // `https+notrack://` anywhere becomes `https://`.
  static void remove_notrack(std::vector<Edit>& edits, std::string_view text) {
    constexpr std::string_view kMark = "+notrack://";
    const std::size_t links = edits.size();
    for (std::size_t at = 0; (at = text.find("://", at)) < text.size(); at += 3) {
      const std::size_t length = kMark.size() - 3;
      if (at < length + 4 || !istarts_with(text.substr(at - length), kMark)) continue;
      const std::size_t begin = at - length;
      const bool http =
          iequals(text.substr(begin - 4, 4), "http") || (begin >= 5 && iequals(text.substr(begin - 5, 5), "https"));
      if (http) edits.push_back({begin, at, {}});
    }
    if (edits.size() == links) return;
    std::ranges::stable_sort(edits, {}, &Edit::begin);
    // One that stands within a tracked link is part of its target.
    std::size_t end = 0;
    std::erase_if(edits, [&](const Edit& edit) {
      if (edit.begin < end) return true;
      end = edit.end;
      return false;
    });
  }

  void add_pixel(std::vector<Edit>& edits, std::size_t at) {
    const auto behind = std::ranges::upper_bound(edits, at, {}, &Edit::begin);
    edits.insert(
        behind, {at, at,
                 "<p class='ampimg' style='display:none;visibility:none;margin:0;padding:0;line-height:0;'><img src='" +
                     rules_.pixel_url + "' alt=''></p>"});
    ++result_.images;
  }

  void name_quoted_printable(const MimeLeaf& leaf) {
    constexpr std::string_view kField = "Content-Transfer-Encoding: quoted-printable";
    const auto fields = header_fields(leaf.headers);
    const bool lf = leaf.headers.contains('\n') && !leaf.headers.contains("\r\n");
    const std::string line_end = lf ? "\n" : "\r\n";
    if (const auto* field = last_field(fields, "Content-Transfer-Encoding"))
      return replace(field->value, " quoted-printable");
    const std::string_view end = leaf.headers.substr(leaf.headers.size());
    const bool open = !leaf.headers.ends_with('\n');  // the message's own block
    replace(end, open ? line_end + std::string(kField) : std::string(kField) + line_end);
  }

  // what: a part of the header block or of the body.
  void replace(std::string_view what, std::string with) {
    const bool in_headers = std::less_equal<>()(headers_.data(), what.data()) &&
                            std::less_equal<>()(what.data() + what.size(), headers_.data() + headers_.size());
    const std::string_view whole = in_headers ? headers_ : body_;
    const std::size_t begin = std::size_t(what.data() - whole.data());
    (in_headers ? header_edits_ : body_edits_).push_back({begin, begin + what.size(), std::move(with)});
  }
  void remove(std::string_view field) { replace(field, {}); }

  std::string new_headers() {
    std::ranges::stable_sort(header_edits_, {}, &Edit::begin);
    std::string out = apply_edits(headers_, header_edits_);
    if (headers_.ends_with('\n')) return out;
    while (out.ends_with('\n') || out.ends_with('\r')) out.pop_back();  // the last field was removed
    return out;
  }

  const std::string_view headers_, body_;
  TrackRules rules_;
  const std::function<std::string()>& new_token_;
  std::set<std::string, std::less<>> unsubscribe_;
  bool skip_ = false;
  std::string track_;
  std::vector<Edit> header_edits_, body_edits_;
  TrackResult result_;
};

}  // namespace

TrackResult track_links(std::string_view headers, std::string_view body, TrackRules rules,
                        const std::function<std::string()>& new_token) {
  return Tracker(headers, body, std::move(rules), new_token).run();
}

}  // namespace posthaste::mail
