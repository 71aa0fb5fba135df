#include "trust/security_descriptor.hpp"

#include <gtest/gtest.h>

#include "trust/testing/descriptor_builder.hpp"

namespace asiodrv::trust {
namespace {

using testing::descriptor;
using testing::view;

TEST(security_descriptor, owner_and_entries_are_read_in_order) {
  const auto read = parse_security_descriptor(
      view(descriptor("O:BAD:P(D;;FW;;;BU)(A;OICIIO;FA;;;CO)(A;;0x1200a9;;;WD)")));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->owner, "S-1-5-32-544");
  EXPECT_TRUE(read->dacl_present);
  EXPECT_FALSE(read->dacl_null);
  const std::vector<Ace> expected = {{AceKind::deny, false, 0x120116, "S-1-5-32-545"},
                                     {AceKind::allow, true, 0x1F01FF, "S-1-3-0"},
                                     {AceKind::allow, false, 0x1200A9, "S-1-1-0"}};
  EXPECT_EQ(read->dacl, expected);
  EXPECT_EQ(read->no_write_below, 0U);
}

TEST(security_descriptor, no_list_an_empty_list_and_none_at_all_are_three_things) {
  const auto no_list = parse_security_descriptor(view(descriptor("O:BAD:NO_ACCESS_CONTROL")));
  ASSERT_TRUE(no_list);
  EXPECT_TRUE(no_list->dacl_present);
  EXPECT_TRUE(no_list->dacl_null);
  const auto empty = parse_security_descriptor(view(descriptor("O:BAD:P")));
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->dacl_present);
  EXPECT_FALSE(empty->dacl_null);
  const auto absent = parse_security_descriptor(view(descriptor("O:BA")));
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->dacl_present);
}

TEST(security_descriptor, a_label_says_below_which_level_nobody_writes) {
  const auto high =
      parse_security_descriptor(view(descriptor("O:BAD:(A;;FA;;;WD)S:(ML;;NW;;;HI)")));
  ASSERT_TRUE(high);
  EXPECT_EQ(high->no_write_below, 0x3000U);
  const auto for_children =
      parse_security_descriptor(view(descriptor("O:BAD:(A;;FA;;;WD)S:(ML;OICIIO;NW;;;HI)")));
  ASSERT_TRUE(for_children);
  EXPECT_EQ(for_children->no_write_below, 0U);
}

TEST(security_descriptor, conditions_and_object_entries_are_told_apart) {
  const auto read =
      parse_security_descriptor(view(descriptor("D:(XA;;FA;;;WD)(XD;;FA;;;WD)(OA;;FA;;;BU)")));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->dacl.size(), 3U);
  EXPECT_EQ(read->dacl[0].kind, AceKind::conditional_allow);
  EXPECT_EQ(read->dacl[1].kind, AceKind::conditional_deny);
  EXPECT_EQ(read->dacl[2].kind, AceKind::allow);
  EXPECT_EQ(read->dacl[2].sid, "S-1-5-32-545");
}

TEST(security_descriptor, one_that_is_not_self_relative_is_refused) {
  auto bytes = descriptor("O:BAD:P");
  bytes[3] = 0;
  EXPECT_FALSE(parse_security_descriptor(view(bytes)));
}

}  // namespace
}  // namespace asiodrv::trust
