#include "trust/connection_table.hpp"

#include <gtest/gtest.h>

#include "trust/testing/pe_builder.hpp"

namespace asiodrv::trust {
namespace {

using testing::Bytes;
using testing::put;
using testing::view;

TEST(connection_table, only_rows_of_the_process_are_given) {
  Bytes table;
  put(table, 0, 3, 4);
  put(table, 4, Bytes{5, 0, 0, 0, 192, 168, 1, 2, 0xC3, 0x50, 0, 0, 9, 8, 7, 6, 0x01, 0xBB, 0, 0});
  put(table, 24, 77, 4);
  put(table, 28, Bytes{5, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 0, 2, 2, 2, 2, 0, 2, 0, 0, 78, 0, 0, 0});
  put(table, 52, Bytes{2, 0, 0, 0, 0, 0, 0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77, 0, 0, 0});
  const auto found = connections_of(view(table), TableKind::tcp4, 77);
  ASSERT_TRUE(found);
  const std::vector<Connection> expected = {{"TCP", "192.168.1.2:50000", "9.8.7.6:443", false},
                                            {"TCP", "0.0.0.0:80", "", true}};
  EXPECT_EQ(*found, expected);
}

TEST(connection_table, the_other_layouts) {
  Bytes tcp6(4 + 56, 0);
  put(tcp6, 0, 1, 4);
  put(tcp6, 4, Bytes{0x20, 0x01, 0x0D, 0xB8});
  put(tcp6, 4 + 20, Bytes{0, 22});
  put(tcp6, 4 + 44, Bytes{1, 0});
  put(tcp6, 4 + 48, 5, 4);
  put(tcp6, 4 + 52, 9, 4);
  const auto six = connections_of(view(tcp6), TableKind::tcp6, 9);
  ASSERT_TRUE(six && six->size() == 1);
  EXPECT_EQ(six->front().local, "[2001:db8:0:0:0:0:0:0]:22");
  EXPECT_EQ(six->front().remote, "[0:0:0:0:0:0:0:0]:256");
  Bytes udp4(4 + 12, 0);
  put(udp4, 0, 1, 4);
  put(udp4, 4, Bytes{127, 0, 0, 1, 0, 53, 0, 0, 9});
  const auto udp = connections_of(view(udp4), TableKind::udp4, 9);
  ASSERT_TRUE(udp && udp->size() == 1);
  EXPECT_EQ(udp->front(), (Connection{"UDP", "127.0.0.1:53", "", true}));
  Bytes udp6(4 + 28, 0);
  put(udp6, 0, 1, 4);
  put(udp6, 4 + 24, 9, 4);
  const auto last = connections_of(view(udp6), TableKind::udp6, 9);
  ASSERT_TRUE(last && last->size() == 1);
}

TEST(connection_table, a_table_shorter_than_it_says_is_refused) {
  Bytes table(4 + 24, 0);
  put(table, 0, 2, 4);
  EXPECT_FALSE(connections_of(view(table), TableKind::tcp4, 0));
  put(table, 0, 0xFFFF'FFFF, 4);
  EXPECT_FALSE(connections_of(view(table), TableKind::udp6, 0));
  EXPECT_FALSE(connections_of(view(Bytes{}), TableKind::udp4, 0));
}

}  // namespace
}  // namespace asiodrv::trust
