#include "manage/permalink.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace posthaste::manage {

namespace {

struct Letter {
  char32_t code;
  std::string_view ascii;
};

// The letters of Latin-1 and Latin Extended-A as the usual transliteration writes them, by code point.
constexpr auto kLetters = std::to_array<Letter>({
    {0xC0, "a"},   {0xC1, "a"},   {0xC2, "a"},   {0xC3, "a"},  {0xC4, "a"},  {0xC5, "a"},  {0xC6, "ae"}, {0xC7, "c"},
    {0xC8, "e"},   {0xC9, "e"},   {0xCA, "e"},   {0xCB, "e"},  {0xCC, "i"},  {0xCD, "i"},  {0xCE, "i"},  {0xCF, "i"},
    {0xD0, "d"},   {0xD1, "n"},   {0xD2, "o"},   {0xD3, "o"},  {0xD4, "o"},  {0xD5, "o"},  {0xD6, "o"},  {0xD7, "x"},
    {0xD8, "o"},   {0xD9, "u"},   {0xDA, "u"},   {0xDB, "u"},  {0xDC, "u"},  {0xDD, "y"},  {0xDE, "th"}, {0xDF, "ss"},
    {0xE0, "a"},   {0xE1, "a"},   {0xE2, "a"},   {0xE3, "a"},  {0xE4, "a"},  {0xE5, "a"},  {0xE6, "ae"}, {0xE7, "c"},
    {0xE8, "e"},   {0xE9, "e"},   {0xEA, "e"},   {0xEB, "e"},  {0xEC, "i"},  {0xED, "i"},  {0xEE, "i"},  {0xEF, "i"},
    {0xF0, "d"},   {0xF1, "n"},   {0xF2, "o"},   {0xF3, "o"},  {0xF4, "o"},  {0xF5, "o"},  {0xF6, "o"},  {0xF8, "o"},
    {0xF9, "u"},   {0xFA, "u"},   {0xFB, "u"},   {0xFC, "u"},  {0xFD, "y"},  {0xFE, "th"}, {0xFF, "y"},  {0x100, "a"},
    {0x101, "a"},  {0x102, "a"},  {0x103, "a"},  {0x104, "a"}, {0x105, "a"}, {0x106, "c"}, {0x107, "c"}, {0x108, "c"},
    {0x109, "c"},  {0x10A, "c"},  {0x10B, "c"},  {0x10C, "c"}, {0x10D, "c"}, {0x10E, "d"}, {0x10F, "d"}, {0x110, "d"},
    {0x111, "d"},  {0x112, "e"},  {0x113, "e"},  {0x114, "e"}, {0x115, "e"}, {0x116, "e"}, {0x117, "e"}, {0x118, "e"},
    {0x119, "e"},  {0x11A, "e"},  {0x11B, "e"},  {0x11C, "g"}, {0x11D, "g"}, {0x11E, "g"}, {0x11F, "g"}, {0x120, "g"},
    {0x121, "g"},  {0x122, "g"},  {0x123, "g"},  {0x124, "h"}, {0x125, "h"}, {0x126, "h"}, {0x127, "h"}, {0x128, "i"},
    {0x129, "i"},  {0x12A, "i"},  {0x12B, "i"},  {0x12C, "i"}, {0x12D, "i"}, {0x12E, "i"}, {0x12F, "i"}, {0x130, "i"},
    {0x131, "i"},  {0x132, "ij"}, {0x133, "ij"}, {0x134, "j"}, {0x135, "j"}, {0x136, "k"}, {0x137, "k"}, {0x138, "k"},
    {0x139, "l"},  {0x13A, "l"},  {0x13B, "l"},  {0x13C, "l"}, {0x13D, "l"}, {0x13E, "l"}, {0x13F, "l"}, {0x140, "l"},
    {0x141, "l"},  {0x142, "l"},  {0x143, "n"},  {0x144, "n"}, {0x145, "n"}, {0x146, "n"}, {0x147, "n"}, {0x148, "n"},
    {0x149, "'n"}, {0x14A, "ng"}, {0x14B, "ng"}, {0x14C, "o"}, {0x14D, "o"}, {0x14E, "o"}, {0x14F, "o"}, {0x150, "o"},
    {0x151, "o"},  {0x152, "oe"}, {0x153, "oe"}, {0x154, "r"}, {0x155, "r"}, {0x156, "r"}, {0x157, "r"}, {0x158, "r"},
    {0x159, "r"},  {0x15A, "s"},  {0x15B, "s"},  {0x15C, "s"}, {0x15D, "s"}, {0x15E, "s"}, {0x15F, "s"}, {0x160, "s"},
    {0x161, "s"},  {0x162, "t"},  {0x163, "t"},  {0x164, "t"}, {0x165, "t"}, {0x166, "t"}, {0x167, "t"}, {0x168, "u"},
    {0x169, "u"},  {0x16A, "u"},  {0x16B, "u"},  {0x16C, "u"}, {0x16D, "u"}, {0x16E, "u"}, {0x16F, "u"}, {0x170, "u"},
    {0x171, "u"},  {0x172, "u"},  {0x173, "u"},  {0x174, "w"}, {0x175, "w"}, {0x176, "y"}, {0x177, "y"}, {0x178, "y"},
    {0x179, "z"},  {0x17A, "z"},  {0x17B, "z"},  {0x17C, "z"}, {0x17D, "z"}, {0x17E, "z"},
});

// The code point at the front of valid UTF-8, which is taken off.
char32_t next(std::string_view& text) {
  auto first = static_cast<unsigned char>(text.front());
  std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t code = length == 1 ? first : first & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
  text.remove_prefix(length);
  return code;
}

std::string ascii_of(char32_t code) {
  if (code < 0x80) return std::string(1, ascii_lower(char(code)));
  if (code >= 0x300 && code < 0x370) return {};  // combining marks vanish with what they mark kept
  auto letter = std::ranges::lower_bound(kLetters, code, {}, &Letter::code);
  return letter != kLetters.end() && letter->code == code ? std::string(letter->ascii) : "?";
}

bool kept(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string permalink_of(std::string_view name) {
  std::string clean = clean_utf8(name), out;
  std::string_view rest = clean;
  while (!rest.empty()) {
    for (char c : ascii_of(next(rest))) {
      if (kept(c))
        out += c;
      else if (!out.empty() && out.back() != '-')
        out += '-';
    }
  }
  if (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

}  // namespace posthaste::manage
