// The rules of outbound-delivery.md section 15.
#include "mail/track_links.h"

#include <gtest/gtest.h>

#include <random>

#include "base/strings.h"

namespace posthaste::mail {
namespace {

constexpr std::string_view kPrefix = "http://click.s.test/abcdef/";
constexpr std::string_view kPixel =
    "<p class='ampimg' style='display:none;visibility:none;margin:0;padding:0;line-height:0;'><img "
    "src='http://click.s.test/img/abcdef/message' alt=''></p>";

TrackRules all_rules() {
  TrackRules rules;
  rules.clicks = rules.loads = true;
  rules.link_prefix = kPrefix;
  rules.pixel_url = "http://click.s.test/img/abcdef/message";
  rules.host = "click.s.test";
  rules.excluded = {"free.test", " *.many.test "};
  return rules;
}
TrackRules clicks_only() {
  auto rules = all_rules();
  rules.loads = false;
  return rules;
}

struct Outcome {
  TrackResult result;
  std::string headers, body;
};

Outcome track(std::string_view headers, std::string_view body, TrackRules rules = clicks_only()) {
  int count = 0;
  Outcome out;
  out.result = track_links(headers, body, std::move(rules), [&] { return fmt::format("t{}", ++count); });
  out.headers = out.result.headers.value_or(std::string(headers));
  out.body = out.result.body.value_or(std::string(body));
  return out;
}

// The text with each link's target in its place, in `<...>`.
std::string shown(const Outcome& outcome) {
  std::string text = outcome.body;
  for (auto link = outcome.result.links.rbegin(); link != outcome.result.links.rend(); ++link)
    text = replace_all(text, std::string(kPrefix) + link->token, "<" + link->url + ">");
  return replace_all(text, kPixel, "{pixel}");
}
std::string text(std::string_view body) { return shown(track("Content-Type: text/plain; charset=utf-8", body)); }
std::string html(std::string_view body, TrackRules rules = clicks_only()) {
  return shown(track("Content-Type: text/html; charset=utf-8", body, std::move(rules)));
}

TEST(TrackText, ReplacesUrlsAndNothingAroundThem) {
  EXPECT_EQ(text("Hello world! http://github.com/atech/postal\r\n"),
            "Hello world! <http://github.com/atech/postal>\r\n");
  EXPECT_EQ(text("http://x.test http://x.test:8080/a\nhttps://x.test/1"),
            "<http://x.test> <http://x.test:8080/a>\n<https://x.test/1>");
  EXPECT_EQ(text("http://a.test/?t=YWI= x"), "<http://a.test/?t=YWI=> x");
  EXPECT_EQ(text("http://a.test/b/ x"), "<http://a.test/b/> x");
}

TEST(TrackText, LeavesPunctuationBehindAUrlInTheText) {
  EXPECT_EQ(text("see http://x.test/a."), "see <http://x.test/a>.");
  EXPECT_EQ(text("(http://x.test/a)"), "(<http://x.test/a>)");
  EXPECT_EQ(text("(see http://x.test/a_(b))."), "(see <http://x.test/a_(b)>).");
  EXPECT_EQ(text("\"http://x.test/a\", 'http://x.test/b'!"), "\"<http://x.test/a>\", '<http://x.test/b>'!");
  EXPECT_EQ(text("http://x.test/a?b!!! http://x.test/c;"), "<http://x.test/a?b>!!! <http://x.test/c>;");
  EXPECT_EQ(text("[x](http://x.test/a)"), "[x](<http://x.test/a>)");
  EXPECT_EQ(text("[http://x.test/a](http://x.test/a)"), "[<http://x.test/a>](<http://x.test/a>)");
}

TEST(TrackText, TakesWhatStandsInAngleBracketsWhole) {
  EXPECT_EQ(text("<http://x.test/a.> and <http://x.test/b)>"), "<<http://x.test/a.>> and <<http://x.test/b)>>");
}

TEST(TrackText, TakesEveryValidUrl) {
  EXPECT_EQ(text("HTTP://X.test/A,b!c@d"), "<HTTP://X.test/A,b!c@d>");
  EXPECT_EQ(text("http://u:p@x.test/a http://[2001:db8::1]:80/a http://x.test?q=1"),
            "<http://u:p@x.test/a> <http://[2001:db8::1]:80/a> <http://x.test?q=1>");
  EXPECT_EQ(text("http://gr\xC3\xBC\xC3\x9F"
                 "e.test/\xC3\xA4 x"),
            "<http://gr\xC3\xBC\xC3\x9F"
            "e.test/\xC3\xA4> x");
  EXPECT_EQ(text("see\xE3\x80\x81http://x.test/a\xE3\x80\x82next"), "see\xE3\x80\x81<http://x.test/a>\xE3\x80\x82next");
}

TEST(TrackText, LeavesAloneWhatIsNoUrlOrNobodyKnowsTheEndOf) {
  for (const std::string_view same :
       {"www.x.test ftp://x.test/a mailto:a@x.test http:/x.test", "git+http://x.test/a xhttp://x.test/a", "http:// x",
        "http://:80/", "http://x.test:port/", "http://x.test/a\xE8\xA9\xB3\xE8\xA6\x8B"})
    EXPECT_EQ(text(same), same);
  const auto latin = track("Content-Type: text/plain; charset=iso-8859-1",
                           "http://x.test/\xE4 Gr\xFC\xDF"
                           "e");
  EXPECT_FALSE(latin.result.changed());
}

TEST(TrackText, UrlsThatMayGoOnInTheNextLineStay) {
  const auto flowed = "Content-Type: text/plain; format=flowed; delsp=yes";
  EXPECT_EQ(shown(track(flowed, "http://x.test/long \r\nrest http://x.test/b c\r\n")),
            "http://x.test/long \r\nrest <http://x.test/b> c\r\n");
}

TEST(TrackHtml, ReplacesValuesOfLinksInAnyQuotes) {
  EXPECT_EQ(html("<a href=\"https://x.test/a?b=1&amp;c=2\">x</a>"), "<a href=\"<https://x.test/a?b=1&c=2>\">x</a>");
  EXPECT_EQ(html("<A\n HREF = 'http://x.test/a'>x</a><area href=http://x.test/b>"),
            "<A\n HREF = '<http://x.test/a>'>x</a><area href=<http://x.test/b>>");
  EXPECT_EQ(html("<a href=' http://x.test/a b\n'>x</a>"), "<a href='<http://x.test/a b>'>x</a>");
  EXPECT_EQ(html("<a href=\"http://x.test/?a=1&copy=2&eacute;&#x41;\">"),
            "<a href=\"<http://x.test/?a=1&copy=2\xC3\xA9"
            "A>\">");
}

TEST(TrackHtml, LeavesEverythingElseAlone) {
  for (const std::string_view same : {
           "<p>http://x.test/a</p>",
           "<link href='http://x.test/a'>",
           "<base href='http://x.test/a'>",
           "<a data-href='http://x.test/a'>",
           "<!-- <a href='http://x.test/a'> -->",
           "<style>a { content: \"<a href='http://x.test/a'>\" }</style>",
           "<script>var a = \"<a href='http://x.test/a'>\";</script>",
           "<a href='mailto:a@x.test'>",
           "<a href='#top'><a href='/rel'><a href='tel:1'>",
           "<a href='http://x.test/a'",
           "<a title='<a href=http://x.test/>'>",
           "<a href='' href='http://x.test/a'>",
           "<a href>",
           "<a href='http://'>",
           "<!--> unclosed <!-- <a href=http://x.test>",
       })
    EXPECT_EQ(html(same), same);
}

TEST(TrackHtml, PutsThePixelBeforeTheLastEndOfBody) {
  EXPECT_EQ(html("<body>x</BODY></html>", all_rules()), "<body>x{pixel}</BODY></html>");
  EXPECT_EQ(html("</body>x</body><!-- </body> -->", all_rules()), "</body>x{pixel}</body><!-- </body> -->");
  EXPECT_EQ(html("<p>x</p>\r\n", all_rules()), "<p>x</p>\r\n{pixel}");
  const auto once = track(
      "Content-Type: multipart/alternative; boundary=b",
      "--b\r\nContent-Type: text/html\r\n\r\n1\r\n--b\r\nContent-Type: text/html\r\n\r\n2\r\n--b--\r\n", all_rules());
  EXPECT_EQ(shown(once),
            "--b\r\nContent-Type: text/html\r\n\r\n1\r\n--b\r\nContent-Type: text/html\r\n\r\n2{pixel}\r\n--b--\r\n");
  EXPECT_EQ(once.result.images, 1);
  EXPECT_FALSE(track("Content-Type: text/plain", "x", all_rules()).result.changed());
}

TEST(TrackLinks, HostsAreExcludedWithoutTheirPort) {
  EXPECT_EQ(
      text("http://free.test/a http://FREE.test:80/ http://sub.free.test/ http://a.b.many.test/ http://many.test/"),
      "http://free.test/a http://FREE.test:80/ <http://sub.free.test/> http://a.b.many.test/ <http://many.test/>");
  EXPECT_EQ(text("http://click.s.test/abcdef/x"), "http://click.s.test/abcdef/x");
}

TEST(TrackLinks, UnsubscribeLinksStay) {
  const auto outcome =
      track("List-Unsubscribe: <mailto:a@x.test>,\r\n <https://x.test/u?a=1&b=2>\r\nContent-Type: text/html",
            "<a href='https://x.test/u?a=1&amp;b=2'>out</a><a href='https://x.test/u'>in</a>");
  EXPECT_EQ(shown(outcome), "<a href='https://x.test/u?a=1&amp;b=2'>out</a><a href='<https://x.test/u>'>in</a>");
}

TEST(TrackLinks, NotrackGoesWhateverTheSettings) {
  EXPECT_EQ(text("https+notrack://n.test/a,b http+NOTRACK://n.test/b http://x.test/"),
            "https://n.test/a,b http://n.test/b <http://x.test/>");
  EXPECT_EQ(html("<a href=\"https+notrack://n.test/a,b\">x</a>", TrackRules{}), "<a href=\"https://n.test/a,b\">x</a>");
  EXPECT_EQ(text("http://x.test/?u=https+notrack://n.test/ ftp+notrack://x"),
            "<http://x.test/?u=https+notrack://n.test/> ftp+notrack://x");
}

TEST(TrackLinks, FieldsOfTheMessageSayNo) {
  const std::string type = "Content-Type: text/html\r\n", body = "<a href='http://x.test/a'>x</a></body>";
  const auto decided = [&](std::string_view field) {
    const auto outcome = track(type + std::string(field) + "\r\nSubject: x", body, all_rules());
    EXPECT_EQ(outcome.headers, type + "Subject: x");
    return std::pair(outcome.result.links.size(), outcome.result.images);
  };
  EXPECT_EQ(decided("X-AMP:  Skip"), std::pair(std::size_t(0), 0));
  EXPECT_EQ(decided("X-AMP: skip\r\nX-AMP: all"), std::pair(std::size_t(1), 1));
  EXPECT_EQ(decided("X-Postal-Track: no"), std::pair(std::size_t(0), 0));
  EXPECT_EQ(decided("X-Postal-Track: clicks"), std::pair(std::size_t(1), 0));
  EXPECT_EQ(decided("x-postal-track: OPENS"), std::pair(std::size_t(0), 1));
  EXPECT_EQ(track("Subject: x\r\nX-AMP: skip", "x").headers, "Subject: x");
}

TEST(TrackParts, FilesSignedAndForeignPartsStay) {
  const std::string link = "http://x.test/a\r\n";
  for (const std::string_view type :
       {"Content-Type: text/plain; name=a.txt", "Content-Type: text/plain\r\nContent-Disposition: attachment",
        "Content-Type: text/plain\r\nContent-Disposition: inline; filename*0*=utf-8''a", "Content-Type: text/calendar",
        "Content-Type: application/json", "X-Other: 1", "Content-Type: text/plain; charset=utf-16le",
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode",
        "Content-Type: text/plain\r\nContent-Type: text/plain"}) {
    EXPECT_FALSE(track(type, link).result.changed()) << type;
    const auto inside = fmt::format("--b\r\n{}\r\n\r\n{}--b--\r\n", type, link);
    EXPECT_FALSE(track("Content-Type: multipart/mixed; boundary=\"b\"", inside).result.changed()) << type;
  }
  const std::string part = "--b\r\nContent-Type: text/plain\r\n\r\n" + link + "--b--\r\n";
  for (const std::string_view type : {"signed", "encrypted", "report", "digest"}) {
    EXPECT_FALSE(track(fmt::format("Content-Type: multipart/{}; boundary=b", type), part).result.changed()) << type;
    const auto nested = fmt::format("--o\r\nContent-Type: multipart/{}; boundary=b\r\n\r\n{}--o--\r\n", type, part);
    EXPECT_FALSE(track("Content-Type: multipart/mixed; boundary=o", nested).result.changed()) << type;
  }
  const auto message =
      "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: text/plain\r\n\r\n" + link + "--b--\r\n";
  EXPECT_FALSE(track("Content-Type: multipart/mixed; boundary=b", message).result.changed());
  EXPECT_FALSE(track("Content-Type: text/plain", "-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\n" + link).result.changed());
  EXPECT_FALSE(track("Content-Type: text/plain", std::string("\0http://x.test/a", 16)).result.changed());
}

TEST(TrackParts, NestedMultipartsAreEntered) {
  const std::string body =
      "preamble http://x.test/0\r\n--o\r\nContent-Type: multipart/alternative; boundary=\"i n\"\r\n\r\n--i n\r\n"
      "Content-Type: text/plain\r\n\r\nhttp://x.test/1\r\n--i n \r\nContent-Type: TEXT/HTML\r\n\r\n<a "
      "href=http://x.test/2>\r\n--o\r\nContent-Type: text/plain\r\n\r\nhttp://x.test/3\r\n--o--\r\nepilogue "
      "http://x.test/4\r\n";
  const auto outcome = track("Content-Type: multipart/mixed; boundary=o", body);
  ASSERT_EQ(outcome.result.links.size(), 3U);  // the inner multipart is ended by the outer boundary
  EXPECT_EQ(shown(outcome), replace_all(replace_all(replace_all(body, "http://x.test/1", "<http://x.test/1>"),
                                                    "http://x.test/2", "<http://x.test/2>"),
                                        "http://x.test/3", "<http://x.test/3>"));
}

TEST(TrackParts, DepthAndPartsAreBounded) {
  std::string deep;
  for (int i = 0; i < 200; ++i)
    deep += fmt::format("--b{}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", i, i + 1);
  deep += "--b200\r\nContent-Type: text/plain\r\n\r\nhttp://x.test/\r\n";
  EXPECT_FALSE(track("Content-Type: multipart/mixed; boundary=b0", deep).result.changed());
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "--b\r\nContent-Type: text/plain\r\n\r\nhttp://x.test/\r\n";
  EXPECT_EQ(track("Content-Type: multipart/mixed; boundary=b", many).result.links.size(), 1000U);
}

TEST(TrackEncodings, QuotedPrintableStaysWithItsLines) {
  const std::string body =
      "<p>Gr=FC=DFe</p>=20\r\nline with soft =\r\nbreak\r\n<a href=3D\"http://x.test/a?b=3Dc\">=E4</a>\r\nl=61st "
      "=3d\r\n";
  const auto outcome =
      track("Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable", body);
  ASSERT_EQ(outcome.result.links.size(), 1U);
  EXPECT_EQ(outcome.result.links[0].url, "http://x.test/a?b=c");
  EXPECT_FALSE(outcome.result.headers);
  EXPECT_EQ(
      outcome.body,
      "<p>Gr=FC=DFe</p>=20\r\nline with soft =\r\nbreak\r\n<a href=3D\"http://click.s.test/abcdef/t1\">=E4</a>\r\n"
      "l=61st =3d\r\n");
}

TEST(TrackEncodings, UrlsOverSoftLineBreaksAreFound) {
  const auto outcome = track("Content-Type: text/plain\r\nContent-Transfer-Encoding: Quoted-Printable",
                             "a http://x.test/aaaaaaaaaaaaaaaaaaaaaaaaaaa=\r\nbbbbbbbbbbbbbbb.html b=\r\nc\r\nd=\r\n");
  ASSERT_EQ(outcome.result.links.size(), 1U);
  EXPECT_EQ(outcome.result.links[0].url, "http://x.test/aaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbb.html");
  EXPECT_EQ(outcome.body, "a http://click.s.test/abcdef/t1 b=\r\nc\r\nd=\r\n");
}

TEST(TrackEncodings, QuotedPrintableLinesStayShort) {
  const auto outcome =
      track("Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable", "x =\r\ny", all_rules());
  for (const auto line : split(outcome.body, '\n')) EXPECT_LE(trim(line).size(), 76U);
  EXPECT_EQ(outcome.result.images, 1);
}

TEST(TrackEncodings, Base64KeepsItsForm) {
  std::string encoded;
  const std::string plain = base64_encode(
      "Gr\xC3\xBC\xC3\x9F"
      "e http://x.test/a\n" +
      std::string(100, 'x'));
  for (std::size_t at = 0; at < plain.size(); at += 60) encoded += plain.substr(at, 60) + "\n";
  const auto outcome =
      track("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", encoded + "\n");
  EXPECT_TRUE(outcome.body.ends_with("\n\n"));
  EXPECT_FALSE(outcome.body.contains('\r'));
  EXPECT_EQ(split(outcome.body, '\n')[0].size(), 60U);
  EXPECT_EQ(base64_decode_lenient(outcome.body),
            "Gr\xC3\xBC\xC3\x9F"
            "e " +
                std::string(kPrefix) + "t1\n" + std::string(100, 'x'));
  EXPECT_FALSE(track("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64",
                     "aHR0cDovL3gudGVzdC8=\r\n-- \r\nA footer\r\n")
                   .result.changed());
}

TEST(TrackEncodings, ALineThatGetsTooLongIsQuotedPrintable) {
  const std::string line(900, 'x');
  const auto outcome =
      track("Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\nSubject: a",
            "\xE4" + line + "</body>\r\n", all_rules());
  EXPECT_EQ(outcome.headers,
            "Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\nSubject: a");
  EXPECT_TRUE(outcome.body.starts_with("=E4xxx"));
  const auto part = track("Content-Type: multipart/mixed; boundary=b",
                          "--b\r\nContent-Type: text/html\r\n\r\n" + line + "</body>\r\n--b--\r\n", all_rules());
  EXPECT_TRUE(part.body.starts_with(
      "--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nxxx"));
  EXPECT_TRUE(part.body.ends_with("\r\n--b--\r\n"));
  const auto whole = track("Content-Type: text/html", line + "</body>", all_rules());
  EXPECT_EQ(whole.headers, "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable");
  const auto before = track("Content-Type: text/html", line + line + "</body>", all_rules());
  EXPECT_FALSE(before.result.headers);  // it was too long before
}

// --- properties

// Messages of pieces that matter to the scanner.
std::string random_body(std::mt19937& random) {
  static const std::string kPieces[] = {"--b\r\n",
                                        "--b--\r\n",
                                        "--c\r\n",
                                        "Content-Type: text/plain\r\n",
                                        "Content-Type: text/html\r\n",
                                        "Content-Type: multipart/related; boundary=c\r\n",
                                        "Content-Transfer-Encoding: quoted-printable\r\n",
                                        "Content-Transfer-Encoding: base64\r\n",
                                        "\r\n",
                                        "\n",
                                        "=\r\n",
                                        "=20\r\n",
                                        "<a href=",
                                        "\"",
                                        "'",
                                        ">",
                                        "</body>",
                                        "<!--",
                                        "-->",
                                        "<style>",
                                        "</style>",
                                        "aGFsbG8=\r\n",
                                        "\xC3\xBC",
                                        "\xFF",
                                        "text ",
                                        "://",
                                        "http:",
                                        "X-AMP",
                                        "&amp;",
                                        "+notrack:/"};
  std::string body;
  for (int i = 0; i < 40; ++i) body += kPieces[random() % std::size(kPieces)];
  return body;
}

TEST(TrackProperties, WithoutALinkEveryByteStays) {
  std::mt19937 random(79);
  for (int i = 0; i < 5'000; ++i) {
    std::string body = random_body(random);
    body = replace_all(replace_all(body, "http:://", "http:"), "+notrack:/://", "");
    const auto outcome = track(i % 2 ? "Content-Type: multipart/mixed; boundary=b" : "Content-Type: text/html", body);
    if (outcome.result.links.empty() && !body.contains("+notrack://")) EXPECT_FALSE(outcome.result.changed()) << body;
  }
}

// Whatever stands around a part, only the bytes of its link change.
TEST(TrackProperties, OutsideEditedRangesEveryByteStays) {
  std::mt19937 random(15);
  int tracked = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::string before = random_body(random), after = random_body(random), link = "http://link.test/path";
    const auto outcome =
        track("Content-Type: multipart/mixed; boundary=b",
              before + "\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee " + link + " \r\n--b\r\n" + after);
    const auto& links = outcome.result.links;
    const auto mine = std::ranges::find(links, link, &TrackedLink::url);
    if (mine == links.end() || links.size() != 1) continue;
    ++tracked;
    const std::string restored = replace_all(outcome.body, std::string(kPrefix) + mine->token, link);
    EXPECT_EQ(restored, before + "\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee " + link + " \r\n--b\r\n" + after);
  }
  EXPECT_GT(tracked, 2'000);
}

TEST(TrackProperties, HostileInputTakesLinearTime) {
  const auto began = std::chrono::steady_clock::now();
  for (const std::string_view piece : {"<a ", "<a href='", "<style>", "<!--", "http://", "<", "</", "://", "--b\r\n",
                                       "(http://a", "=\r\n", "<a href=http://x&a", "\n--", "&", "<a a a a a "}) {
    std::string body;
    while (body.size() < 300'000) body += piece;
    for (const std::string_view type : {"text/plain", "text/html", "multipart/mixed; boundary=b",
                                        "text/html\r\nContent-Transfer-Encoding: quoted-printable"})
      (void)track(fmt::format("Content-Type: {}", type), body, all_rules());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(30));
}

}  // namespace
}  // namespace posthaste::mail
