#include "service/pages.hpp"

#include <gtest/gtest.h>

#include <string>

namespace asiodrv::service {
namespace {

using nlohmann::json;

TEST(pages, short_rows_fill_a_page_by_their_number) {
  json rows = json::array({0, 1, 2, 3, 4});
  EXPECT_EQ(take_page(rows, 0, 3), json::array({0, 1, 2}));
  EXPECT_EQ(take_page(rows, 3, 3), json::array({3, 4}));
  EXPECT_EQ(take_page(rows, 5, 3), json::array());
}

/// As a message has them: each quotation mark takes two bytes.
TEST(pages, long_rows_end_a_page_before_it_is_too_long_for_a_message) {
  constexpr std::size_t kRows = 10;
  json rows = json::array();
  for (std::size_t i = 0; i < kRows; ++i) rows.push_back(std::string(kPageBytes / 8, '"'));
  const json page = take_page(rows, 0, kRows);
  EXPECT_EQ(page.size(), 3U);
  EXPECT_LE(page.dump().size(), kPageBytes + 2);
}

TEST(pages, a_row_that_is_too_long_by_itself_is_a_page) {
  json rows = json::array({std::string(2 * kPageBytes, 'x'), 1});
  EXPECT_EQ(take_page(rows, 0, 2).size(), 1U);
  EXPECT_EQ(take_page(rows, 1, 2), json::array({1}));
}

}  // namespace
}  // namespace asiodrv::service
