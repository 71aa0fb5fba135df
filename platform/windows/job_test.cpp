// The job that a host may keep its children in.
#include <gtest/gtest.h>
#include <windows.h>

#include "platform/platform.hpp"

namespace asiodrv::platform {
namespace {

TEST(job, knows_when_it_ends_with_whoever_started_it) {
  const HANDLE job = CreateJobObjectW(nullptr, nullptr);
  ASSERT_NE(job, nullptr);
  ASSERT_NE(AssignProcessToJobObject(job, GetCurrentProcess()), 0);
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  const auto set = [&](DWORD flags) {
    limits.BasicLimitInformation.LimitFlags = flags;
    return SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
  };
  EXPECT_FALSE(ends_with_starter());
  ASSERT_NE(set(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE), 0);
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION told{};
  ASSERT_NE(QueryInformationJobObject(job, JobObjectExtendedLimitInformation, &told, sizeof told,
                                      nullptr),
            0);
  if (told.BasicLimitInformation.LimitFlags == 0) {  // Wine
    ASSERT_NE(set(0), 0);
    GTEST_SKIP() << "this system does not tell the limits of a job";
  }
  EXPECT_TRUE(ends_with_starter());
  ASSERT_NE(set(0), 0);  // this process is to end by itself
  EXPECT_FALSE(ends_with_starter());
}

}  // namespace
}  // namespace asiodrv::platform
