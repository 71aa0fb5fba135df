#include "trust/hash_list.hpp"

#include <gtest/gtest.h>

namespace asiodrv::trust {
namespace {

const std::string kDigits64(64, 'a');

TEST(hash_list, lines_of_sha256sum_are_read) {
  const auto list = parse_hash_list("# release 1\n" + kDigits64 + "  a.dll\r\n\n" +
                                    std::string(64, 'B') + " *dist/b.exe");
  ASSERT_TRUE(list);
  const std::vector<ReleaseHash> expected = {{kDigits64, "a.dll"}, {std::string(64, 'b'), "b.exe"}};
  EXPECT_EQ(*list, expected);
}

TEST(hash_list, a_wrong_line_is_named) {
  for (const std::string& row :
       {std::string("nonsense"), std::string(63, 'a') + "  x", std::string(64, 'g') + "  x",
        kDigits64 + " x", kDigits64, kDigits64 + "  "}) {
    const auto list = parse_hash_list(kDigits64 + "  a.dll\n" + row + "\n");
    ASSERT_FALSE(list) << row;
    EXPECT_NE(list.error().message.find("Line 2 "), std::string::npos) << list.error().message;
  }
}

TEST(hash_list, an_empty_list_is_an_error_not_a_pass) {
  EXPECT_FALSE(parse_hash_list(""));
  EXPECT_FALSE(parse_hash_list("# nothing\n"));
}

}  // namespace
}  // namespace asiodrv::trust
