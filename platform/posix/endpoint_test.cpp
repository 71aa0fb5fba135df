// Which folder the socket goes to, and which ones are refused.
#include "platform/posix/endpoint.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "platform/platform.hpp"
#include "platform/test_peer.hpp"

namespace asiodrv::platform {
namespace {

/// A folder of this test's own as $XDG_RUNTIME_DIR; both are put back.
class endpoint : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv("XDG_RUNTIME_DIR")) before_ = value;
    char path[] = "/tmp/asiodrv-test-XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    folder_ = path;
    setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  }
  void TearDown() override {
    if (before_) {
      setenv("XDG_RUNTIME_DIR", before_->c_str(), 1);
    } else {
      unsetenv("XDG_RUNTIME_DIR");
    }
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] bool used() const {
    const auto found = find_endpoint("x", true);
    return found && found->socket_path.starts_with(folder_ + "/");
  }

  std::optional<std::string> before_;
  std::string folder_;
};

TEST_F(endpoint, is_in_the_runtime_folder_and_carries_the_instance) {
  EXPECT_EQ(find_endpoint("x", true)->socket_path, folder_ + "/asio-driver-x.sock");
  EXPECT_EQ(find_endpoint("", true)->lock_path, folder_ + "/asio-driver.lock");
}

TEST_F(endpoint, a_folder_that_others_may_enter_is_not_used) {
  ASSERT_TRUE(used());
  for (const mode_t mode : {0755U, 0770U, 0701U}) {
    ASSERT_EQ(chmod(folder_.c_str(), mode), 0);
    EXPECT_FALSE(used()) << std::oct << mode;
  }
}

TEST_F(endpoint, a_folder_of_somebody_else_is_not_used) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  ASSERT_EQ(chown(folder_.c_str(), 12345, 12345), 0);
  EXPECT_FALSE(used());
}

TEST_F(endpoint, a_link_a_file_a_relative_path_and_a_missing_folder_are_not_used) {
  const std::string link = folder_ + "/link";
  ASSERT_EQ(symlink(folder_.c_str(), link.c_str()), 0);
  for (const std::string& path : {link, std::string("tmp"), folder_ + "/none"}) {
    setenv("XDG_RUNTIME_DIR", path.c_str(), 1);
    const auto found = find_endpoint("x", true);
    EXPECT_TRUE(!found || !found->socket_path.starts_with(path)) << path;
  }
}

TEST_F(endpoint, a_folder_too_deep_for_a_socket_is_not_used) {
  const std::string deep = folder_ + "/" + std::string(100, 'd');
  ASSERT_EQ(mkdir(deep.c_str(), 0700), 0);
  setenv("XDG_RUNTIME_DIR", deep.c_str(), 1);
  const auto found = find_endpoint("x", true);
  EXPECT_TRUE(!found || found->socket_path.size() < 108);
}

TEST_F(endpoint, the_socket_can_be_opened_by_its_user_only) {
  const auto listener = make_transport("modes")->listen();
  ASSERT_TRUE(listener) << listener.error().message;
  struct stat status {};
  for (const char* name : {"/asio-driver-modes.sock", "/asio-driver-modes.lock"}) {
    ASSERT_EQ(stat((folder_ + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
  }
}

TEST_F(endpoint, a_socket_left_behind_is_replaced_and_gone_after_a_clean_end) {
  const std::string path = folder_ + "/asio-driver-stale.sock";
  std::filesystem::create_directories(folder_);
  ASSERT_EQ(mknod(path.c_str(), S_IFSOCK | 0600, 0), 0);
  const auto transport = make_transport("stale");
  EXPECT_EQ(transport->connect(test::patience()).error().code, ErrorCode::service_absent);
  {
    const auto listener = transport->listen();
    ASSERT_TRUE(listener) << listener.error().message;
    EXPECT_TRUE(transport->connect(test::patience()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "socket or lock were left behind";
}

TEST_F(endpoint, contenders_that_come_and_go_never_serve_together) {
  std::atomic<int> serving{0};
  std::atomic<int> together{0};
  std::atomic<int> served{0};
  std::vector<std::unique_ptr<ports::Thread>> contenders;
  for (int index = 0; index < 4; ++index) {
    auto thread = make_threads()->start("contender", ports::ThreadRole::control, [&] {
      for (int turn = 0; turn < 300; ++turn) {
        const auto listener = make_transport("contended")->listen();
        if (!listener) continue;
        if (++serving != 1) ++together;
        ++served;
        --serving;
      }
    });
    ASSERT_TRUE(thread);
    contenders.push_back(std::move(*thread));
  }
  for (const auto& contender : contenders) ASSERT_TRUE(contender->join(test::patience()));
  EXPECT_EQ(together, 0);
  EXPECT_GT(served, 0);
}

}  // namespace
}  // namespace asiodrv::platform
