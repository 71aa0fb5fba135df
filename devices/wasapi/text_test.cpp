#include "devices/wasapi/text.hpp"

#include <gtest/gtest.h>

namespace asiodrv::devices::wasapi {
namespace {

TEST(wasapi_text, every_width_survives_there_and_back) {
  const std::string text =
      "Lautsprecher (\xC3\x9C"
      "ber \xE2\x82\xAC \xF0\x9D\x84\x9E)";
  EXPECT_EQ(to_utf8(u"Lautsprecher (\u00DCber \u20AC \U0001D11E)"), text);
  EXPECT_EQ(to_utf16(text), u"Lautsprecher (\u00DCber \u20AC \U0001D11E)");
}

TEST(wasapi_text, half_a_pair_and_broken_bytes_become_the_replacement) {
  const char16_t lone_high[]{u'a', 0xD800, u'b', 0};
  const char16_t lone_low[]{0xDC00, 0};
  EXPECT_EQ(to_utf8(lone_high),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(to_utf8(lone_low), "\xEF\xBF\xBD");
  EXPECT_EQ(to_utf16("a\xC0\x80"
                     "b"),
            u"a\uFFFD\uFFFDb");                                // overlong zero
  EXPECT_EQ(to_utf16("\xED\xA0\x80"), u"\uFFFD\uFFFD\uFFFD");  // an encoded surrogate
  EXPECT_EQ(to_utf16("\xE2\x82"), u"\uFFFD\uFFFD");            // cut off
  EXPECT_EQ(to_utf16("\xF5\x80\x80\x80"), u"\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(wasapi_text, copies_at_most_4096_units_and_null_is_empty) {
  const std::u16string text(5000, u'x');
  EXPECT_EQ(copy_text(text.c_str()).size(), 4096U);
  EXPECT_EQ(copy_text(nullptr), "");
}

TEST(wasapi_text, a_guid_is_written_as_windows_does_it) {
  EXPECT_EQ(guid_text(kContainerId.set), "{8c7ed206-3f8a-4827-b3ab-ae9e1faefc6c}");
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
