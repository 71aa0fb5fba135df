// Which rules of the fake have a test: by the names of the tests themselves.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace asiodrv::devices::wasapi::fake {
namespace {

struct Group {
  const char* letter;
  int rules;
};
// Enumeration, notifications, shared, small periods (Low latency), exclusive, render Buffers,
// Capture buffers, clocK, loss.
constexpr Group kGroups[] = {{"E", 8}, {"N", 5}, {"S", 11}, {"L", 6}, {"X", 12},
                             {"B", 4}, {"C", 6}, {"K", 5},  {"Z", 8}};

std::set<std::string> names_of_tests() {
  std::set<std::string> names;
  const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *all.GetTestSuite(i);
    if (std::string(suite.name()) != "wasapi_fake_rules") continue;
    for (int k = 0; k < suite.total_test_count(); ++k) names.insert(suite.GetTestInfo(k)->name());
  }
  return names;
}

std::vector<std::string> rules_without_a_test(const std::set<std::string>& names) {
  std::vector<std::string> missing;
  for (const Group& group : kGroups) {
    for (int number = 1; number <= group.rules; ++number) {
      const std::string rule = group.letter + std::to_string(number);
      const auto found = names.lower_bound(rule + "_");
      if (found == names.end() || !found->starts_with(rule + "_")) missing.push_back(rule);
    }
  }
  return missing;
}

TEST(wasapi_fake_coverage, each_of_the_65_rules_has_a_test) {
  int rules = 0;
  for (const Group& group : kGroups) rules += group.rules;
  EXPECT_EQ(rules, 65);
  EXPECT_EQ(rules_without_a_test(names_of_tests()), std::vector<std::string>{});
}

TEST(wasapi_fake_coverage, a_rule_without_a_test_is_named) {
  std::set<std::string> names = names_of_tests();
  std::erase_if(names, [](const std::string& name) { return name.starts_with("X1_"); });
  EXPECT_EQ(rules_without_a_test(names), std::vector<std::string>{"X1"});  // X10 to X12 are others
}

}  // namespace
}  // namespace asiodrv::devices::wasapi::fake
