#include "manage/tree.h"

#include <gtest/gtest.h>

namespace posthaste::manage {
namespace {

Tree parsed(std::string_view text) {
  auto tree = parse_tree(text);
  if (!tree) ADD_FAILURE() << tree.error().text;
  return tree ? *tree : Tree();
}
std::string refused(std::string_view text) {
  auto tree = parse_tree(text);
  return tree ? "accepted" : tree.error().text;
}

TEST(Tree, ReadsYaml) {
  auto tree = parsed("name: Mail\ncount: 12\nratio: 2.5\non: yes\nnone: ~\ntext: \"12\"\nlist: [a, b]\n");
  EXPECT_EQ(*tree.find("name")->text(), "Mail");
  EXPECT_EQ(*tree.find("count")->integer(), 12);
  EXPECT_EQ(*tree.find("ratio")->real(), 2.5);
  EXPECT_TRUE(*tree.find("on")->flag());
  EXPECT_TRUE(tree.find("none")->null());
  EXPECT_EQ(*tree.find("text")->text(), "12");
  EXPECT_EQ(tree.find("list")->list()->size(), 2u);
  EXPECT_EQ(tree.find("count")->line, 2);
}

TEST(Tree, ReadsJsonWithCharactersBeyondTheBasicPlane) {
  auto tree = parsed(R"({"a": "\ud83d\udce6 \u00fc \\ud83d \/", "b": null, "c": [1, true, "none"]})");
  EXPECT_EQ(*tree.find("a")->text(), "📦 ü \\ud83d /");
  EXPECT_TRUE(tree.find("b")->null());
  EXPECT_EQ(*tree.find("c")->list()->at(2).text(), "none");
}

TEST(Tree, WordsThatLookLikeNumbersStayText) {
  auto tree = parsed("a: inf\nb: nan\nc: None\nd: 1.2.3\ne: 10.0.0.0/8\nf: 2001:db8::1\n");
  for (auto key : {"a", "b", "c", "d", "e", "f"}) EXPECT_TRUE(tree.find(key)->text()) << key;
}

TEST(Tree, RefusesWhatIsBrokenWithItsLine) {
  EXPECT_EQ(refused("a: 1\nb: [1, 2\n").substr(0, 5), "line ");
  EXPECT_EQ(refused("a: 1\nb: 2\na: 3\n"), "line 3: a is given twice");
  EXPECT_EQ(refused("a: \xff\n"), "the document is not UTF-8");
}

TEST(Tree, RefusesTextsThatStandForHugeTrees) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    bomb += fmt::format("{}: &{} [", c, c);
    for (int i = 0; i < 10; ++i) bomb += fmt::format("*{}, ", char(c - 1));
    bomb += "]\n";
  }
  EXPECT_TRUE(refused(bomb).ends_with("too many values"));
  EXPECT_TRUE(refused(std::string(100, '[') + std::string(100, ']')).ends_with("nested too deeply"));
}

TEST(Tree, WhatWasWrittenIsReadBack) {
  Tree tree;
  tree.set("text", "12");
  tree.set("words", "yes");
  tree.set("key", "-----BEGIN\nabc\n-----END\n");
  tree.set("none", Tree());
  tree.set("number", 2.5);
  tree.set("empty", Tree(Tree::List()));
  for (const auto& text : {to_yaml(tree), to_json(tree)}) {
    auto again = parsed(text);
    EXPECT_EQ(to_json(again), to_json(tree)) << text;
  }
}

TEST(Tree, TextIsReadBackByteForByte) {
  for (std::string text : {"a\nb", "a\r\nb\r\n", "a\n\n", "  indented\nb\n", "a\n b\n", "tab\tbell\x07", "# no comment",
                           "a: b", "- item", "\"quoted\"", "trailing ", "ü📦", "0x10", "1e3", "|", "\n"}) {
    Tree tree;
    tree.set("text", text);
    auto again = parsed(to_yaml(tree));
    ASSERT_TRUE(again.find("text") && again.find("text")->text()) << to_yaml(tree);
    EXPECT_EQ(*again.find("text")->text(), text) << to_yaml(tree);
  }
}

}  // namespace
}  // namespace posthaste::manage
