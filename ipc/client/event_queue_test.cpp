#include "ipc/client/event_queue.hpp"

#include <gtest/gtest.h>

#include "ipc/test_ports.hpp"

namespace asiodrv::ipc {
namespace {

using wire::HostEvent;
using wire::HostEventKind;

HostEvent rate_event(std::uint32_t hz) {
  return {HostEventKind::rate_changed, SampleRate{hz}, {}, {}};
}

class event_queue : public ::testing::Test {
 protected:
  TestPorts ports;
  EventQueue queue{*ports.threads};
};

TEST_F(event_queue, duplicates_merge_into_the_place_of_the_oldest_with_the_newest_value) {
  const auto conversation = queue.open();
  queue.push(conversation, rate_event(44'100));
  queue.push(conversation, {HostEventKind::reset_request, {}, {}, {}});
  for (int i = 0; i < 1000; ++i) queue.push(conversation, rate_event(48'000));
  EXPECT_EQ(queue.next(ports.soon())->rate.hz, 48'000U);
  EXPECT_EQ(queue.next(ports.soon())->kind, HostEventKind::reset_request);
  EXPECT_EQ(queue.next(ports.clock->now()).error().code, ErrorCode::timed_out);
}

TEST_F(event_queue, events_before_a_close_are_handed_out_and_then_it_is_disconnected) {
  EXPECT_EQ(queue.next(ports.soon()).error().code, ErrorCode::disconnected);
  const auto conversation = queue.open();
  queue.push(conversation, rate_event(44'100));
  queue.close(conversation);
  EXPECT_TRUE(queue.next(ports.soon()));
  EXPECT_EQ(queue.next(ports.soon()).error().code, ErrorCode::disconnected);
}

TEST_F(event_queue, an_earlier_conversation_changes_nothing) {
  const auto earlier = queue.open();
  queue.push(earlier, rate_event(44'100));
  const auto current = queue.open();
  queue.push(earlier, rate_event(1));
  queue.close(earlier);
  queue.push(current, {HostEventKind::resync, {}, {}, {}});
  EXPECT_EQ(queue.next(ports.soon())->kind, HostEventKind::resync);
}

TEST_F(event_queue, wake_ends_one_wait) {
  const auto conversation = queue.open();
  queue.wake();
  queue.push(conversation, rate_event(44'100));
  EXPECT_EQ(queue.next(ports.soon()).error().code, ErrorCode::timed_out);
  EXPECT_TRUE(queue.next(ports.soon()));
}

}  // namespace
}  // namespace asiodrv::ipc
