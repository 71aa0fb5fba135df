// Tokens of the right shape that name the wrong thing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/platform.hpp"
#include "platform/posix/unique_fd.hpp"

namespace asiodrv::platform {
namespace {

ErrorCode code_of_open(const UniqueFd& descriptor) {
  const std::string token =
      "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(descriptor.get());
  const auto opened = make_shared_regions()->open(token, 4096);
  return opened ? ErrorCode::internal : opened.error().code;
}

TEST(hostile_token, files_pipes_and_devices_are_refused) {
  char path[] = "/tmp/asiodrv-test-XXXXXX";
  const UniqueFd file(mkstemp(path));
  ASSERT_TRUE(file);
  EXPECT_EQ(unlink(path), 0);
  ASSERT_EQ(ftruncate(file.get(), 8192), 0);
  EXPECT_EQ(code_of_open(file), ErrorCode::malformed);

  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  EXPECT_EQ(code_of_open(reading), ErrorCode::malformed) << "and it did not block";
  EXPECT_EQ(code_of_open(UniqueFd(open("/dev/zero", O_RDWR))), ErrorCode::malformed);
}

TEST(hostile_token, memory_that_its_owner_can_shrink_is_refused) {
  const UniqueFd plain(memfd_create("asiodrv-section", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(plain.get(), 8192), 0);
  EXPECT_EQ(code_of_open(plain), ErrorCode::malformed);

  const UniqueFd unsealed(memfd_create("asiodrv-section", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(unsealed.get(), 8192), 0);
  ASSERT_EQ(fcntl(unsealed.get(), F_ADD_SEALS, F_SEAL_GROW), 0);
  EXPECT_EQ(code_of_open(unsealed), ErrorCode::malformed);
}

TEST(hostile_token, a_section_without_memory_behind_it_is_given_memory_before_use) {
  const UniqueFd sparse(memfd_create("asiodrv-section", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(sparse.get(), 1 << 20), 0);
  ASSERT_EQ(fcntl(sparse.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
  const std::string token =
      "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(sparse.get());
  const auto region = make_shared_regions()->open(token, 1 << 20);
  ASSERT_TRUE(region) << region.error().message;
  std::vector<unsigned char> resident((1 << 20) / 4096);
  ASSERT_EQ(mincore((*region)->bytes().data(), 1 << 20, resident.data()), 0);
  for (const unsigned char page : resident) EXPECT_EQ(page & 1U, 1U);
}

TEST(hostile_token, our_own_sections_can_neither_shrink_nor_grow) {
  const auto region = make_shared_regions()->create(8192);
  ASSERT_TRUE(region);
  const UniqueFd memory(open((*region)->token().c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(memory);
  EXPECT_NE(ftruncate(memory.get(), 4096), 0);
  EXPECT_NE(ftruncate(memory.get(), 16384), 0);
}

}  // namespace
}  // namespace asiodrv::platform
