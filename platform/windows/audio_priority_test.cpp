// The scheduler service as it may behave on a user's machine. Wine's grants everything and raises
// nothing, so these stand in for it.
#include "platform/windows/audio_priority.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace asiodrv::platform {
namespace {

int g_joined = 0, g_left = 0;

HANDLE WINAPI refuse(const wchar_t*, DWORD*) { return nullptr; }
HANDLE WINAPI accept(const wchar_t*, DWORD* index) {
  EXPECT_EQ(*index, 0U) << "any other number is refused on the first call";
  ++g_joined;
  return reinterpret_cast<HANDLE>(std::uintptr_t{7});
}
BOOL WINAPI refuse_priority(HANDLE, int) { return FALSE; }
BOOL WINAPI leave(HANDLE task) {
  EXPECT_EQ(task, reinterpret_cast<HANDLE>(std::uintptr_t{7}));
  ++g_left;
  return TRUE;
}

class audio_priority : public ::testing::Test {
 protected:
  void SetUp() override { g_joined = g_left = 0; }
  void TearDown() override { SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_NORMAL); }
};

TEST_F(audio_priority, a_scheduler_service_that_refuses_or_is_missing_leaves_the_highest_ordinary) {
  for (const SchedulerService& service :
       {SchedulerService{refuse, refuse_priority, leave}, SchedulerService{}}) {
    SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_NORMAL);
    const AudioPriority priority(service, ports::ThreadRole::audio);
    EXPECT_TRUE(priority.granted());
    EXPECT_EQ(GetThreadPriority(GetCurrentThread()), THREAD_PRIORITY_TIME_CRITICAL);
  }
  EXPECT_EQ(g_left, 0) << "what was not joined is not left";
}

TEST_F(audio_priority, a_scheduler_service_that_answers_and_raises_nothing_is_noticed) {
  {
    const AudioPriority priority({accept, refuse_priority, leave}, ports::ThreadRole::engine);
    EXPECT_TRUE(priority.granted());
    EXPECT_EQ(GetThreadPriority(GetCurrentThread()), THREAD_PRIORITY_TIME_CRITICAL);
  }
  EXPECT_EQ(g_joined, 1);
  EXPECT_EQ(g_left, 1);
}

}  // namespace
}  // namespace asiodrv::platform
