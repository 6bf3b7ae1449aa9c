#include "trust/request_signature.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "base/strings.h"

namespace posthaste::trust {

namespace {

bool verifies(const SigningKey& key, const EVP_MD* digest, std::string_view body, const std::string& signature) {
  const auto bytes = base64_decode(signature);
  if (!bytes) return false;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, static_cast<EVP_PKEY*>(key.native()));
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(bytes->data()), bytes->size(),
                          reinterpret_cast<const unsigned char*>(body.data()), body.size()) == 1;
}

}  // namespace

TEST(RequestSignature, BothSignaturesVerifyOverTheBody) {
  const auto key = *SigningKey::from_pem(SigningKey::generate_rsa_pem(2048));
  const auto signer = *RequestSigner::make(key);
  const std::string body = R"({"event":"MessageSent"})";
  const auto fields = signer->headers(body);
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0], std::pair(std::string("X-Postal-Signature-KID"), signer->key_id()));
  EXPECT_EQ(fields[1].first, "X-Postal-Signature");
  EXPECT_TRUE(verifies(key, EVP_sha1(), body, fields[1].second));
  EXPECT_EQ(fields[2].first, "X-Postal-Signature-256");
  EXPECT_TRUE(verifies(key, EVP_sha256(), body, fields[2].second));
  EXPECT_FALSE(verifies(key, EVP_sha1(), body + " ", fields[1].second));
  EXPECT_EQ(signer->headers(body), fields) << "the same in a retry";
}

TEST(RequestSignature, KeepsTheLatestBodiesOnly) {
  const auto signer = *RequestSigner::make(*SigningKey::from_pem(SigningKey::generate_rsa_pem(512)));
  const auto first = signer->headers("0");
  for (int i = 1; i < 2100; ++i) (void)signer->headers(std::to_string(i));
  EXPECT_EQ(signer->headers("0"), first);
}

TEST(RequestSignature, PublishesTheKey) {
  // openssl genrsa -traditional 1024
  const std::string pem = R"(-----BEGIN RSA PRIVATE KEY-----
MIICWgIBAAKBgQDF8Et+adftztLxtIW+NgHDkqCvjYz2Tyur9zAtkNHw6c659Hkz
wj/FTkRNLyFj2dHNUCZpyhKZCw2sbeFxAA9kvXZjFyc/l9cF6V7AQcSH096LWpSQ
mwXUTQN81p9W2qUc44DKdrzlSINtKV4bptqKX1RbPP79eAqWJDLvIgGNywIDAQAB
AoGAKaoaCgL3i7wkVPJd0JsHpgYgQrO1/0bM94axonXAa0ib1jKqrIVv7PU7lU+d
ZKo96ky7uTrqzUIxX6FFega8NmY+4YsDT4PoYiW/4sDtai3AbuIDy9f7hSGGpybJ
7OeLeefTFyg3WmMduxhvsceuZxk56LCDUyqwUN5mVyPyRPkCQQD0nmDAwu+1XZb7
ndmaf24vAqfvWBNItrNC9aIP75gKvDuzXdkkpSJCA+FcSqFsvtKY7QyF5jjYXaYL
Yj+1iD4dAkEAzyXqzv/ZzLCVxFnql06xQVexHrFZMbvpJLTla35oI+AE9hIAAzIV
aWhAqKuWvijhEn0rcr/YwiC1G6tM7xxXBwJAU1QkV2XQbHLuPNZ/yw5/xUndVT4m
i42ZMUUlqNIQdA+9MpPUpZQPQHe77EmMBdRXPzr5Gh/b23DDYHtegoNfzQJASz+r
55w7g0bWcOh09pgIfgMb/VlRXGa1j7cC7CSUMgwL4VOym3aTHqJXcq46aUOyVyQP
J3UXiZWWFMIKhYXW+wI/UzlCIT2v3yjdUz51GKZYJXXnvOrerVGs/uosGkrNcggd
HwbFNskikgpdtFKEXSjUrghzrahbWw4vRBLmwufR
-----END RSA PRIVATE KEY-----
)";
  const auto signer = *RequestSigner::make(*SigningKey::from_pem(pem));
  EXPECT_EQ(signer->key_id(), "c0b5b89a3312078257450442746ccb84366825dcb79f031d8ba9a3359e897e55");
  EXPECT_EQ(
      signer->jwks(),
      R"({"keys":[{"kty":"RSA","n":"xfBLfmnX7c7S8bSFvjYBw5Kgr42M9k8rq_cwLZDR8OnOufR5M8I_xU5ETS8hY9nRzVAmacoSmQsNrG3hcQAPZL12YxcnP5fXBelewEHEh9Pei1qUkJsF1E0DfNafVtqlHOOAyna85UiDbSleG6bail9UWzz-_XgKliQy7yIBjcs","e":"AQAB","use":"sig","alg":"RS256","kid":")" +
          signer->key_id() + R"("}]})");
}

}  // namespace posthaste::trust
