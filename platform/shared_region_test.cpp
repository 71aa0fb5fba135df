// Sections, and what their tokens may not do. Each system's own traps stand in its folder.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/test_peer.hpp"

namespace asiodrv::platform {
namespace {

using namespace std::chrono_literals;
using test::patience;

constexpr std::size_t kBytes = 300'000;

TEST(shared_region, is_zero_page_aligned_and_of_the_size_asked_for) {
  const auto region = make_shared_regions()->create(kBytes);
  ASSERT_TRUE(region) << region.error().message;
  const auto bytes = (*region)->bytes();
  EXPECT_EQ(bytes.size(), kBytes);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % 4096, 0U);
  EXPECT_TRUE(
      std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; }));
}

TEST(shared_region, both_mappings_show_the_same_bytes) {
  const auto regions = make_shared_regions();
  const auto mine = regions->create(kBytes);
  ASSERT_TRUE(mine);
  const auto theirs = regions->open((*mine)->token(), kBytes);
  ASSERT_TRUE(theirs) << theirs.error().message;
  EXPECT_NE((*mine)->bytes().data(), (*theirs)->bytes().data());
  (*mine)->bytes()[kBytes - 1] = std::byte{42};
  (*theirs)->bytes()[0] = std::byte{43};
  EXPECT_EQ((*theirs)->bytes()[kBytes - 1], std::byte{42});
  EXPECT_EQ((*mine)->bytes()[0], std::byte{43});
}

TEST(shared_region, refuses_sizes_that_are_out_of_range) {
  const auto regions = make_shared_regions();
  const auto region = regions->create(kBytes);
  ASSERT_TRUE(region);
  for (const std::size_t bytes : {std::size_t{0}, (std::size_t{1} << 30U) + 1, SIZE_MAX}) {
    const auto made = regions->create(bytes);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::invalid_argument);
    EXPECT_FALSE(regions->open((*region)->token(), bytes));
  }
}

TEST(shared_region, refuses_a_section_smaller_than_agreed) {
  const auto regions = make_shared_regions();
  const auto region = regions->create(4096);
  ASSERT_TRUE(region);
  const auto opened = regions->open((*region)->token(), 3 * 4096);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::invalid_argument);
}

TEST(shared_region, tokens_differ_and_end_with_their_region) {
  const auto regions = make_shared_regions();
  auto first = regions->create(4096);
  auto second = regions->create(4096);
  ASSERT_TRUE(first && second);
  EXPECT_NE((*first)->token(), (*second)->token());
  const std::string token = (*first)->token();
  first->reset();
  EXPECT_FALSE(regions->open(token, 4096));
}

TEST(shared_region, what_is_not_exactly_a_token_is_never_opened) {
  const auto regions = make_shared_regions();
  const auto region = regions->create(4096);
  ASSERT_TRUE(region);
  const std::string real = (*region)->token();
  std::vector<std::string> hostile{"",
                                   "/",
                                   "/etc/passwd",
                                   "/proc/self/fd/0",
                                   "/proc//fd/3",
                                   "/proc/1/fd/",
                                   "/proc/1/fd/+3",
                                   "/proc/1/fd/3/",
                                   "/proc/01/fd/3",
                                   "/proc/1/fd/03",
                                   "/proc/-1/fd/3",
                                   "/proc/1/task/1/fd/3",
                                   "/proc/1/fd/3/../../../../etc/passwd",
                                   "/proc/99999999999999999999/fd/1",
                                   "proc/1/fd/3",
                                   "Local\\asiodrv-",
                                   "Local\\asiodrv-xyz",
                                   "Global\\asiodrv-00000000000000000000000000000000",
                                   "Local\\asiodrv-0000000000000000000000000000000",
                                   "local\\asiodrv-00000000000000000000000000000000",
                                   "Local\\asiodrv-000000000000000000000000000000000",
                                   "Local\\asiodrv-0000000000000000000000000000000G",
                                   "Local\\..\\asiodrv-00000000000000000000000000000",
                                   "\\\\server\\share",
                                   "C:\\x",
                                   real + " ",
                                   " " + real,
                                   real + "\n",
                                   real + std::string(1, '\0'),
                                   real + "/",
                                   std::string(100'000, 'A')};
  for (const std::string& token : hostile) {
    const auto opened = regions->open(token, 4096);
    ASSERT_FALSE(opened) << token.substr(0, 80);
    EXPECT_EQ(opened.error().code, ErrorCode::malformed) << token.substr(0, 80);
  }
}

/// Makes a region, writes its token into the caller's region, then waits to be killed: token.
const test::RegisterRole make_region{"make_region", [](const std::vector<std::string>& arguments) {
                                       const auto regions = make_shared_regions();
                                       const auto outer = regions->open(arguments.at(0), 4096);
                                       const auto inner = regions->create(8192);
                                       if (!outer || !inner) return 1;
                                       (*inner)->bytes()[8191] = std::byte{17};
                                       const std::string& token = (*inner)->token();
                                       std::memcpy((*outer)->bytes().data() + 64, token.c_str(),
                                                   token.size() + 1);
                                       auto bell = (*outer)->doorbell(0, "wake");
                                       if (!bell) return 2;
                                       (*bell)->ring(1);
                                       make_clock()->sleep_until(patience());
                                       return 3;
                                     }};

TEST(shared_region, a_mapping_outlives_the_process_that_made_it) {
  const auto regions = make_shared_regions();
  auto outer = regions->create(4096);
  ASSERT_TRUE(outer);
  auto bell = (*outer)->doorbell(0, "wake");
  ASSERT_TRUE(bell);
  const auto peer = test::start_peer("make_region", {(*outer)->token()});
  ASSERT_EQ((*bell)->wait_change(0, patience(), 0ns), 1U);
  const std::string token = reinterpret_cast<const char*>((*outer)->bytes().data() + 64);
  const auto inner = regions->open(token, 8192);
  ASSERT_TRUE(inner) << inner.error().message;
  peer->kill();
  (void)peer->wait(patience());
  EXPECT_EQ((*inner)->bytes()[8191], std::byte{17});
  (*inner)->bytes()[0] = std::byte{1};
  EXPECT_EQ((*inner)->bytes()[0], std::byte{1});
}

}  // namespace
}  // namespace asiodrv::platform
