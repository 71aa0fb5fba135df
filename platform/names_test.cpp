#include "platform/names.hpp"

#include <gtest/gtest.h>

#include <array>

namespace asiodrv::platform {
namespace {

TEST(names, an_instance_holds_no_separator_wildcard_or_control_character) {
  for (const char* good : {"", "a", "studio-2", "Test_1.0", "-"}) {
    EXPECT_TRUE(check_instance(good)) << good;
  }
  EXPECT_TRUE(check_instance(std::string(64, 'x')));
  for (const char* bad :
       {"a/b", "a\\b", "..\\x", "a b", "a*", "a?", "\n", "\xC3\xA9", "a:b", "%s%"}) {
    EXPECT_FALSE(check_instance(bad)) << bad;
  }
  EXPECT_FALSE(check_instance(std::string(65, 'x')));
  EXPECT_FALSE(check_instance(std::string_view("a\0b", 3)));
}

TEST(names, a_doorbell_has_a_short_lower_case_name) {
  for (const char* good : {"wake", "ack", "a_1"}) EXPECT_TRUE(check_doorbell_name(good)) << good;
  for (const char* bad : {"", "Wake", "a-b", "a/b", "seventeen_letters"}) {
    EXPECT_FALSE(check_doorbell_name(bad)) << bad;
  }
}

TEST(names, hexadecimal_is_lower_case_with_leading_zeros) {
  const std::array bytes{std::byte{0x00}, std::byte{0x0A}, std::byte{0xF1}};
  EXPECT_EQ(to_hex(bytes), "000af1");
  EXPECT_EQ(to_hex({}), "");
}

}  // namespace
}  // namespace asiodrv::platform
