#include "mail/html_links.h"

#include <gumbo.h>

#include <memory>

#include "base/strings.h"

namespace posthaste::mail {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_letter(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }

// Elements whose content is text up to their end tag.
bool is_raw(std::string_view name) {
  constexpr std::string_view kRaw[] = {"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"};
  return std::ranges::any_of(kRaw, [&](std::string_view raw) { return iequals(raw, name); });
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view html) : html_(html) {}

  HtmlPlaces run() {
    while ((at_ = html_.find('<', at_)) < html_.size()) {
      const char next = at_ + 1 < html_.size() ? html_[at_ + 1] : '\0';
      if (is_letter(next))
        start_tag();
      else if (next == '/')
        end_tag();
      else if (next == '!' || next == '?')
        declaration();
      else
        ++at_;
    }
    return std::move(places_);
  }

 private:
  void skip_behind(std::string_view what, std::size_t from) {
    const std::size_t found = html_.find(what, from);
    at_ = found == std::string_view::npos ? html_.size() : found + what.size();
  }

  void declaration() {
    const std::string_view rest = html_.substr(at_);
    if (!rest.starts_with("<!--")) return skip_behind(">", at_);
    if (rest.starts_with("<!-->") || rest.starts_with("<!--->")) return skip_behind(">", at_);
    skip_behind("-->", at_ + 4);
  }

  std::string_view tag_name() {
    const std::size_t begin = at_;
    while (at_ < html_.size() && !is_space(html_[at_]) && html_[at_] != '/' && html_[at_] != '>') ++at_;
    return html_.substr(begin, at_ - begin);
  }

  void start_tag() {
    ++at_;
    const std::string_view name = tag_name();
    const bool links = iequals(name, "a") || iequals(name, "area");
    const auto href = attributes();
    if (!closed_) return;  // a tag without end is none
    if (links && href) places_.hrefs.push_back(*href);
    if (iequals(name, "plaintext")) at_ = html_.size();
    if (is_raw(name)) skip_raw(name);
  }

  void end_tag() {
    const std::size_t begin = at_;
    at_ += 2;
    if (at_ >= html_.size() || !is_letter(html_[at_])) return skip_behind(">", at_);
    if (iequals(tag_name(), "body")) places_.body_end = begin;
    attributes();
  }

  void skip_raw(std::string_view name) {
    while ((at_ = html_.find("</", at_)) < html_.size()) {
      const std::string_view rest = html_.substr(at_ + 2);
      const char behind = name.size() < rest.size() ? rest[name.size()] : '\0';
      if (istarts_with(rest, name) && (is_space(behind) || behind == '/' || behind == '>')) return;
      at_ += 2;
    }
  }

  // To the end of the tag; the value of its first href.
  std::optional<HtmlHref> attributes() {
    std::optional<HtmlHref> href;
    bool seen = false;
    closed_ = false;
    while (at_ < html_.size()) {
      while (at_ < html_.size() && (is_space(html_[at_]) || html_[at_] == '/')) ++at_;
      if (at_ >= html_.size()) break;
      if (html_[at_] == '>') {
        ++at_;
        closed_ = true;
        break;
      }
      const std::string_view name = attribute_name();
      const auto value = attribute_value();
      if (seen || !iequals(name, "href")) continue;
      seen = true;
      href = value;
    }
    return href;
  }

  std::string_view attribute_name() {
    const std::size_t begin = at_++;  // a `=` in front belongs to the name
    while (at_ < html_.size() && !is_space(html_[at_]) && html_[at_] != '/' && html_[at_] != '>' && html_[at_] != '=')
      ++at_;
    return html_.substr(begin, at_ - begin);
  }

  std::optional<HtmlHref> attribute_value() {
    const auto skip_space = [&] {
      while (at_ < html_.size() && is_space(html_[at_])) ++at_;
    };
    skip_space();
    if (at_ >= html_.size() || html_[at_] != '=') return std::nullopt;
    ++at_;
    skip_space();
    if (at_ >= html_.size()) return std::nullopt;
    const char quote = html_[at_];
    if (quote == '"' || quote == '\'') {
      const std::size_t begin = ++at_;
      const std::size_t end = std::min(html_.find(quote, begin), html_.size());
      at_ = std::min(end + 1, html_.size());
      return HtmlHref{begin, end};
    }
    const std::size_t begin = at_;
    while (at_ < html_.size() && !is_space(html_[at_]) && html_[at_] != '>') ++at_;
    return HtmlHref{begin, at_};
  }

  const std::string_view html_;
  std::size_t at_ = 0;
  bool closed_ = false;  // the last tag had an end
  HtmlPlaces places_;
};

const GumboElement* first_link(const GumboNode* node) {
  while (node && node->type == GUMBO_NODE_ELEMENT) {
    const GumboElement& element = node->v.element;
    if (element.tag == GUMBO_TAG_A) return &element;
    if (element.children.length == 0) return nullptr;
    node = static_cast<const GumboNode*>(element.children.data[element.children.length - 1]);
  }
  return nullptr;
}

}  // namespace

HtmlPlaces find_html_links(std::string_view html) { return Tokenizer(html).run(); }

// The names and the odd rules of character references are gumbo's: it reads a document of this one attribute.
std::string decode_html_value(std::string_view value) {
  if (!value.contains('&')) return std::string(value);
  const char quote = value.contains('"') ? '\'' : '"';
  if (value.contains(quote)) return std::string(value);
  const std::string document = fmt::format("<a href={}{}{}>", quote, value, quote);
  GumboOptions options = kGumboDefaultOptions;
  options.max_errors = 0;
  const auto destroy = [&](GumboOutput* output) { gumbo_destroy_output(&options, output); };
  const std::unique_ptr<GumboOutput, decltype(destroy)> parsed(
      gumbo_parse_with_options(&options, document.data(), document.size()), destroy);
  const GumboElement* link = first_link(parsed->root);
  const GumboAttribute* href = link ? gumbo_get_attribute(&link->attributes, "href") : nullptr;
  return href ? std::string(href->value) : std::string(value);
}

}  // namespace posthaste::mail
