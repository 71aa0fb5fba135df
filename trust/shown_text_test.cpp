#include "trust/shown_text.hpp"

#include <gtest/gtest.h>

namespace asiodrv::trust {
namespace {

TEST(shown_text, plain_names_stay_as_they_are) {
  EXPECT_EQ(shown("Example Audio GmbH & Co. KG"), "Example Audio GmbH & Co. KG");
  EXPECT_EQ(shown("M\xC3\xBCller"), "M\xC3\xBCller");
  EXPECT_EQ(shown("\xE9\x9F\xB3\xE9\x9F\xBF"), "\xE9\x9F\xB3\xE9\x9F\xBF");
}

TEST(shown_text, what_could_deceive_is_spelled_out) {
  EXPECT_EQ(shown(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(shown("a\x1B[31mb\n"), "a\\x1B[31mb\\x0A");
  EXPECT_EQ(shown("exe.\xE2\x80\xAElld"), "exe.\\u{202E}lld") << "text turned around";
  EXPECT_EQ(shown("\xD0\xB0sio"), "\\u{430}sio") << "a Cyrillic a among Latin letters";
  EXPECT_EQ(shown("a\xFF\xC3"), "a\\xFF\\xC3") << "no UTF-8";
  EXPECT_EQ(shown("\xC0\x80"), "\\xC0\\x80") << "an overlong form";
}

TEST(shown_text, long_texts_end_in_dots) {
  EXPECT_EQ(shown("abcdef", 3), "abc...");
  EXPECT_EQ(shown("abc", 3), "abc");
}

TEST(shown_text, names_that_look_alike_have_one_skeleton) {
  for (const char* const name : {"ASIO Driver", "asio-driver", "AS1O dr1ver", "asio driver ",
                                 "\xD0\xB0sio-driver", "asi0\xE2\x80\x8B-driver"}) {
    EXPECT_EQ(skeleton(name), skeleton("asio-driver")) << name;
  }
  EXPECT_NE(skeleton("ASIO Driver 2"), skeleton("asio-driver"));
}

TEST(shown_text, blanks_and_invisible_letters_of_any_kind_make_no_other_name) {
  for (const char* const nothing : {"\xC2\xA0", "\xE2\x80\x89", "\xE3\x80\x80", "\xE3\x85\xA4",
                                    "\xD8\x9C", "\xEF\xB8\x8F", "\xF3\xA0\x81\x81"}) {
    EXPECT_EQ(skeleton(std::string("asio") + nothing + "driver"), skeleton("asio-driver"))
        << nothing;
  }
}

TEST(shown_text, capitals_of_other_scripts_look_like_latin_ones) {
  EXPECT_EQ(skeleton("\xD0\x92\xD0\x9D\xD0\x9A\xD0\x9C\xD0\xA2\xD0\xA3"), skeleton("BHKMTY"));
  EXPECT_EQ(skeleton("\xCE\x92\xCE\x97\xCE\x9A\xCE\x9C\xCE\x9D\xCE\xA4\xCE\xA5\xCE\x96"),
            skeleton("BHKMNTYZ"));
}

TEST(shown_text, sentences_keep_all_languages_and_lose_what_steers) {
  EXPECT_EQ(without_controls("Ger\xC3\xA4t \xD0\x9D\xD0\xB0\nA"),
            "Ger\xC3\xA4t \xD0\x9D\xD0\xB0\nA");
  EXPECT_EQ(without_controls("\x1b[2J\x07\x7f\xC2\x9B\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\x8B\xFF"),
            "?[2J???????");
  EXPECT_EQ(without_controls("\xE2\x80\xA8\xD8\x9C\xE3\x85\xA4\xF3\xA0\x81\x81"), "????");
  EXPECT_EQ(without_controls("\xE2\x99\xA5\xEF\xB8\x8F"), "\xE2\x99\xA5\xEF\xB8\x8F");
}

}  // namespace
}  // namespace asiodrv::trust
