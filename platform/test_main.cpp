// The test program: GoogleTest, or one role of a test in two processes (`--role NAME ARGUMENT...`).
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <map>

#include "platform/monotonic.hpp"
#include "platform/names.hpp"
#include "platform/platform.hpp"
#include "platform/test_peer.hpp"

namespace asiodrv::platform::test {
namespace {

std::map<std::string, Role>& roles() {
  static std::map<std::string, Role> known;
  return known;
}

}  // namespace

RegisterRole::RegisterRole(const char* name, Role role) { roles().emplace(name, role); }

Instant patience() { return monotonic_now() + std::chrono::seconds{30}; }

std::string unique_instance() {
  std::array<std::byte, 8> random{};
  EXPECT_TRUE(random_bytes(random));
  return "test-" + to_hex(random);
}

int play(const std::vector<std::string>& words) {
  const auto role = roles().find(words.at(0));
  if (role == roles().end()) {
    std::fprintf(stderr, "unknown role %s\n", words[0].c_str());
    return 99;
  }
  return role->second({words.begin() + 1, words.end()});
}

}  // namespace asiodrv::platform::test

int main(int argc, char** argv) {
  if (argc >= 3 && std::string(argv[1]) == "--role") {
    return asiodrv::platform::test::play({argv + 2, argv + argc});
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
