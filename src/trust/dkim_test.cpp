#include "trust/dkim.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>

#include "base/strings.h"

namespace posthaste::trust {
namespace {

namespace fs = std::filesystem;

// The key of RFC 8463 appendix A.2.
constexpr std::string_view kEd25519 =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

const Time kNow = from_unix_micros(1767261600'000000);
const DkimIdentity kIdentity{"example.com", "postal-aB3dEf"};

const SigningKey& rsa_key() {
  static const SigningKey key = SigningKey::from_pem(SigningKey::generate_rsa_pem(1024)).value();
  return key;
}

struct Signed {
  std::string message;
  const SigningKey* key;
};

Signed sign(std::string_view headers, std::string_view body, const SigningKey& key = rsa_key()) {
  return {dkim_signature(headers, body, key, kIdentity, kNow) + std::string(headers) + "\r\n\r\n" + std::string(body),
          &key};
}

// CRLF for every kind of line end, as on the wire.
std::string on_the_wire(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\r' && bytes[i] != '\n') {
      out += bytes[i];
      continue;
    }
    if (bytes.substr(i, 2) == "\r\n") ++i;
    out += "\r\n";
  }
  return out.ends_with("\r\n") ? out : out + "\r\n";
}

// What an independent implementation, dkimpy, says of each message: `True`, `False` or its complaint.
std::optional<std::vector<std::string>> verify(const std::vector<Signed>& messages) {
  static constexpr std::string_view kScript = R"(
import dkim, glob, sys
files = sorted(glob.glob(sys.argv[1] + "/*.eml"))
for file in files:
    record = open(file[:-4] + ".txt", "rb").read()
    try: print(dkim.DKIM(open(file, "rb").read(), minkey=512).verify(dnsfunc=lambda name, timeout=5: record))
    except Exception as e: print(repr(e))
)";
  std::string folder = (fs::temp_directory_path() / "dkim-test-XXXXXX").string();
  if (!::mkdtemp(folder.data())) return std::nullopt;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string name = fmt::format("{}/{:04}", folder, i);
    std::ofstream(name + ".eml", std::ios::binary) << on_the_wire(messages[i].message);
    std::ofstream(name + ".txt", std::ios::binary) << messages[i].key->record();
  }
  std::ofstream(folder + "/verify.py") << kScript;
  const std::string command = fmt::format("/usr/bin/python3 {0}/verify.py {0} 2>&1", folder);

  std::vector<std::string> verdicts;
  FILE* output = ::popen(command.c_str(), "r");
  std::array<char, 512> line;
  while (output && std::fgets(line.data(), line.size(), output)) {
    verdicts.emplace_back(trim(line.data()));
  }
  if (output) ::pclose(output);
  fs::remove_all(folder);
  return verdicts;
}

bool have_dkimpy() { return std::system("/usr/bin/python3 -c 'import dkim, nacl' 2>/dev/null") == 0; }

std::string tag(std::string_view message, const std::string& name) {
  std::string field(message.substr(0, message.find("\r\nFrom:")));
  std::erase_if(field, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  std::smatch found;
  return std::regex_search(field, found, std::regex("[:;]" + name + "=([^;]*)")) ? found[1].str() : "";
}

const std::string kFrom = "From: A <a@example.com>\r\n";

TEST(SigningKey, ReadsBothFormsOfPem) {
  const std::string pkcs1 = SigningKey::generate_rsa_pem(1024);
  EXPECT_TRUE(pkcs1.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
  const auto key = SigningKey::from_pem(pkcs1);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->bits(), 1024);
  EXPECT_FALSE(key->ed25519());
  EXPECT_TRUE(SigningKey::from_pem(kEd25519)->ed25519());
}

TEST(SigningKey, RefusesWhatIsNone) {
  EXPECT_EQ(SigningKey::from_pem("").error().kind, ErrorKind::Invalid);
  EXPECT_EQ(SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").error().kind,
            ErrorKind::Invalid);
  EXPECT_EQ(SigningKey::from_file("/nonexistent/signing.key").error().kind, ErrorKind::NotFound);
}

TEST(SigningKey, RecordsNameTheKey) {
  EXPECT_TRUE(rsa_key().record().starts_with("v=DKIM1; t=s; h=sha256; p=MIG"));
  EXPECT_TRUE(rsa_key().record().ends_with(";"));
  EXPECT_EQ(SigningKey::from_pem(kEd25519)->record(),
            "v=DKIM1; t=s; h=sha256; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=;");
}

TEST(SigningKey, SignsTheExampleOfRfc8463) {
  const std::string input =
      "from:Joe SixPack <joe@football.example.com>\r\n"
      "to:Suzie Q <suzie@shopping.example.net>\r\n"
      "subject:Is dinner ready?\r\n"
      "date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
      "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"
      "dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=football.example.com; i=@football.example.com; "
      "q=dns/txt; s=brisbane; t=1528637909; h=from : to : subject : date : message-id : from : subject : date; "
      "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=";
  EXPECT_EQ(base64_encode(SigningKey::from_pem(kEd25519)->sign(input)),
            "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
}

TEST(Dkim, LayoutIsPostals) {
  const auto signed_mail = sign(kFrom + "To: b@x.test\r\nSubject: x", "Hi\r\n").message;
  const std::regex layout(
      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=example\\.com;\r\n\ts=postal-aB3dEf; "
      "t=1767261600;\r\n"
      "\tbh=[A-Za-z0-9+/=]{44};\r\n\th=[a-z:-]+(\r\n\t[a-z:-]+)*;\r\n"
      "\tb=([A-Za-z0-9+/=]{72}\r\n\t)*[A-Za-z0-9+/=]{1,72}\r\n");
  const auto field = signed_mail.substr(0, signed_mail.find("From:"));
  EXPECT_TRUE(std::regex_match(field, layout)) << field;
  for (auto line : split(field, '\n')) EXPECT_LE(line.size(), 77u) << line;
}

TEST(Dkim, NamesStandInTheOrderOfTheFieldsAndOnceMoreForThoseThatMustNotBeAdded) {
  const std::string headers = "Date: d\r\nReceived: r\r\n" + kFrom + "To: b@x.test\r\nX-Mailer: m\r\nSubject: x";
  EXPECT_EQ(tag(dkim_signature(headers, "", rsa_key(), kIdentity, kNow), "h"),
            "date:from:to:subject:from:to:cc:subject:date:message-id:reply-to:content-type:mime-version:"
            "list-unsubscribe:list-unsubscribe-post");
}

TEST(Dkim, EmptyBodyIsTheHashOfNothing) {
  EXPECT_EQ(tag(sign(kFrom + "Subject: x", "").message, "bh"), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST(Dkim, AnotherImplementationVerifiesAllKindsOfMessages) {
  ASSERT_TRUE(have_dkimpy()) << "python3-dkim is not installed: script/bootstrap test";
  static const auto big = SigningKey::from_pem(SigningKey::generate_rsa_pem(2048)).value();
  static const auto ed25519 = SigningKey::from_pem(kEd25519).value();
  const std::vector<Signed> messages = {
      sign(kFrom + "To: b@x.test\r\nSubject: x", "Hi there\r\n"),
      sign(kFrom + "Subject: x", "Hi\r\n", big),
      sign(kFrom + "Subject: x", "Hi\r\n", ed25519),
      sign("From: a@example.com", "Hi"),
      sign("FROM: a@example.com\nSUBJECT:  x \nmessage-id: <1@x.test>", "bare\nline\n\nends\n"),
      sign(kFrom + "Subject: one\r\n  two\r\n\t three\r\nReferences: <1@x.test>\r\n <2@x.test>", "Hi\r\n"),
      sign(kFrom + "Subject: x", "\r\n\r\none \t two \r\n\r\n\r\n  three\r\n\r\n"),
      sign(kFrom + "Subject: x", "bare\rcarriage\r\rreturns\r"),
      sign(kFrom + "Subject: x", ".\r\n..two\r\n"),
      sign(kFrom + "Subject:", ""),
      sign(kFrom + "Subject: a: b: c", "\r\n\r\n"),
      sign(kFrom + "To: one@x.test\r\nSubject: x\r\nTo: two@x.test\r\nTo: three@x.test", "Hi\r\n"),
      sign("DKIM-Signature: v=1; a=rsa-sha256; d=else.test; s=x; h=from; bh=abc; b=abc\r\n" + kFrom + "Subject: x",
           "Hi\r\n"),
      sign(kFrom + "Subject: Gr\xc3\xbc\xc3\x9f"
                   "e",
           "Gr\xc3\xbc\xc3\x9f"
           "e \xe9\r\n"),
      sign(kFrom + "Subject: x\r\r\nhidden: body", "Hi\r\n"),
      sign(kFrom + "Subject: x\r", "Hi\r\n"),
      sign(kFrom + "Subject: " + std::string(900, 'w'), std::string(100000, 'x')),
  };
  const auto verdicts = verify(messages);
  ASSERT_TRUE(verdicts);
  ASSERT_EQ(verdicts->size(), messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(verdicts->at(i), "True") << i << "\n" << messages[i].message.substr(0, 600);
  }
}

TEST(Dkim, AnAddedFieldOrAChangedBodyBreaksIt) {
  ASSERT_TRUE(have_dkimpy()) << "python3-dkim is not installed: script/bootstrap test";
  auto added = sign(kFrom + "Subject: x", "Hi\r\n");
  added.message.insert(added.message.find("Subject:"), "Reply-To: evil@x.test\r\n");
  auto changed = sign(kFrom + "Subject: x", "Hi\r\n");
  changed.message += "more\r\n";
  const auto verdicts = verify({added, changed, sign(kFrom, "Hi\r\n")});
  ASSERT_TRUE(verdicts);
  EXPECT_THAT(*verdicts, testing::ElementsAre(testing::Ne("True"), testing::HasSubstr("body hash mismatch"), "True"));
}

}  // namespace
}  // namespace posthaste::trust
