// Both ends refuse a process of another user, even one that gets past the folder's mode. Needs
// root, to become somebody else.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "platform/platform.hpp"
#include "platform/posix/endpoint.hpp"
#include "platform/posix/unique_fd.hpp"
#include "platform/test_peer.hpp"

namespace asiodrv::platform {
namespace {

using test::patience;

constexpr uid_t kStranger = 12'345;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

/// Serves the socket path as the stranger and reports the bytes that a client sent: path, instance
/// to report "up" to. Exit code 0: none.
const test::RegisterRole squat{
    "squat", [](const std::vector<std::string>& arguments) {
      const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_un address = address_of(arguments.at(0));
      if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        return 1;
      const auto line = make_transport(arguments.at(1))->connect(patience());
      if (!line || setuid(kStranger) != 0 || listen(socket.get(), 5) != 0) return 2;
      const std::byte up{1};
      if (!(*line)->send({&up, 1}, patience())) return 3;
      const UniqueFd client(accept(socket.get(), nullptr, nullptr));
      char byte = 0;
      return recv(client.get(), &byte, 1, 0) == 0 ? 0 : 4;
    }};

/// Connects to the socket path as the stranger. Exit code 0: it hung up without an answer.
const test::RegisterRole intrude{
    "intrude", [](const std::vector<std::string>& arguments) {
      const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_un address = address_of(arguments.at(0));
      if (setuid(kStranger) != 0) return 1;
      if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
          0) {
        return 2;
      }
      char byte = 0;
      return recv(socket.get(), &byte, 1, 0) <= 0 ? 0 : 3;
    }};

TEST(foreign_user, a_socket_that_somebody_else_serves_gets_not_one_byte) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const std::string reports = test::unique_instance();
  const auto listener = make_transport(reports)->listen();
  ASSERT_TRUE(listener) << listener.error().message;
  const std::string instance = test::unique_instance();
  const std::string path = find_endpoint(instance, true)->socket_path;
  const auto peer = test::start_peer("squat", {path, reports});
  const auto line = (*listener)->accept(patience());
  ASSERT_TRUE(line) << line.error().message;
  std::byte up{};
  ASSERT_TRUE((*line)->receive({&up, 1}, patience()));

  const auto connection = make_transport(instance)->connect(patience());
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, ErrorCode::access_denied);
  EXPECT_EQ(peer->wait(patience()), 0);
  EXPECT_EQ(unlink(path.c_str()), 0);
}

TEST(foreign_user, a_client_of_somebody_else_is_known_as_one_and_others_are_served) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  char folder[] = "/tmp/asiodrv-test-XXXXXX";  // the usual one is shared with other programs
  ASSERT_NE(mkdtemp(folder), nullptr);
  setenv("XDG_RUNTIME_DIR", folder, 1);
  const std::string instance = test::unique_instance();
  const auto transport = make_transport(instance);
  const auto listener = transport->listen();
  ASSERT_TRUE(listener) << listener.error().message;
  const std::string path = find_endpoint(instance, true)->socket_path;
  ASSERT_TRUE(path.starts_with(folder));
  // What the modes forbid, this test allows: the check behind them must hold by itself.
  ASSERT_EQ(chmod(folder, 0711), 0);
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  const auto peer = test::start_peer("intrude", {path});
  auto accepted = (*listener)->accept(patience());
  ASSERT_EQ(chmod(folder, 0700), 0);
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_FALSE((*accepted)->peer().same_user);
  accepted->reset();  // what the server does with such a one
  EXPECT_EQ(peer->wait(patience()), 0);

  const auto own = transport->connect(patience());
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_TRUE((*listener)->accept(patience()));
  unsetenv("XDG_RUNTIME_DIR");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace asiodrv::platform
