// Pipes and sections of the right name that are somebody else's, or not what they seem.
#include <gtest/gtest.h>
#include <windows.h>

#include "platform/platform.hpp"
#include "platform/test_peer.hpp"
#include "platform/windows/command_line.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/security.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::platform {
namespace {

using test::patience;

std::wstring pipe_name(const std::string& instance) {
  const auto identity = current_identity();
  return L"\\\\.\\pipe\\asio-driver-" + identity->user_sid + L"-" +
         std::to_wstring(identity->session) + L"-" + to_wide(instance);
}

UniqueHandle make_pipe(const std::string& instance, SECURITY_ATTRIBUTES* security) {
  return UniqueHandle(CreateNamedPipeW(pipe_name(instance).c_str(), PIPE_ACCESS_DUPLEX,
                                       PIPE_TYPE_BYTE | PIPE_NOWAIT, 2, 4096, 4096, 0, security));
}

/// What a client says of `pipe`; also checks that not one byte was sent.
ErrorCode code_of_connect(const std::string& instance, const UniqueHandle& pipe) {
  EXPECT_TRUE(pipe) << GetLastError();
  const auto connection = make_transport(instance)->connect(patience());
  DWORD waiting = 0;
  PeekNamedPipe(pipe.get(), nullptr, 0, nullptr, &waiting, nullptr);
  EXPECT_EQ(waiting, 0U);
  return connection ? ErrorCode::internal : connection.error().code;
}

TEST(hostile_pipe, one_that_another_account_owns_is_refused) {
  auto security = SecurityAttributes::parse(L"O:SYD:(A;;GA;;;WD)");
  ASSERT_TRUE(security);
  const std::string instance = test::unique_instance();
  const UniqueHandle pipe = make_pipe(instance, security->get());
  if (!pipe && GetLastError() == ERROR_INVALID_OWNER) {
    GTEST_SKIP() << "this account cannot make the system the owner, as it should be";
  }
  EXPECT_EQ(code_of_connect(instance, pipe), ErrorCode::access_denied);
}

TEST(hostile_pipe, one_whose_owner_the_system_will_not_tell_is_refused) {
  auto security = SecurityAttributes::parse(L"O:BAD:(A;;0x120183;;;WD)");
  ASSERT_TRUE(security);
  const std::string instance = test::unique_instance();
  const UniqueHandle pipe = make_pipe(instance, security->get());
  if (!pipe) GTEST_SKIP() << "this account cannot give the owner";
  EXPECT_EQ(code_of_connect(instance, pipe), ErrorCode::access_denied);
}

TEST(hostile_pipe, a_lock_that_is_held_keeps_a_second_service_out) {
  const auto identity = current_identity();
  ASSERT_TRUE(identity);
  const std::string instance = test::unique_instance();
  const std::wstring name = L"Local\\asio-driver-" + identity->user_sid + L"-" +
                            std::to_wstring(identity->session) + L"-" + to_wide(instance);
  const UniqueHandle lock(CreateMutexW(nullptr, FALSE, name.c_str()));
  ASSERT_TRUE(lock);
  const auto listener = make_transport(instance)->listen();
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, ErrorCode::already_exists);
}

std::string token_of(char digit) { return "Local\\asiodrv-" + std::string(32, digit); }

TEST(hostile_section, reserved_pages_are_refused_and_not_touched) {
  const UniqueHandle section(CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr,
                                                PAGE_READWRITE | SEC_RESERVE, 0, 1 << 20,
                                                to_wide(token_of('a')).c_str()));
  ASSERT_TRUE(section);
  const auto region = make_shared_regions()->open(token_of('a'), 1 << 20);
  ASSERT_FALSE(region);
  EXPECT_EQ(region.error().code, ErrorCode::invalid_argument);
}

TEST(hostile_section, a_read_only_one_is_refused_or_can_really_be_written) {
  const UniqueHandle section(CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READONLY, 0,
                                                4096, to_wide(token_of('b')).c_str()));
  ASSERT_TRUE(section);
  const auto region = make_shared_regions()->open(token_of('b'), 4096);
  if (!region) return;  // Windows; Wine maps it for writing all the same
  (*region)->bytes()[0] = std::byte{1};
  EXPECT_EQ((*region)->bytes()[0], std::byte{1});
}

TEST(hostile_section, another_kind_of_object_and_a_missing_one_are_refused) {
  const UniqueHandle event(CreateEventW(nullptr, FALSE, FALSE, to_wide(token_of('c')).c_str()));
  ASSERT_TRUE(event);
  EXPECT_FALSE(make_shared_regions()->open(token_of('c'), 4096));
  const auto missing = make_shared_regions()->open(token_of('d'), 4096);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
}

TEST(hostile_section, a_peer_finds_no_doorbell_that_the_creator_did_not_make) {
  const auto regions = make_shared_regions();
  const auto made = regions->create(4096);
  ASSERT_TRUE(made);
  const auto opened = regions->open((*made)->token(), 4096);
  ASSERT_TRUE(opened);
  const auto bell = (*opened)->doorbell(0, "wake");
  ASSERT_FALSE(bell);
  EXPECT_EQ(bell.error().code, ErrorCode::not_found);
}

TEST(hostile_section, a_squatted_doorbell_event_is_refused) {
  const auto made = make_shared_regions()->create(4096);
  ASSERT_TRUE(made);
  const UniqueHandle squatter(
      CreateEventW(nullptr, FALSE, FALSE, to_wide((*made)->token() + "-wake").c_str()));
  ASSERT_TRUE(squatter);
  const auto bell = (*made)->doorbell(0, "wake");
  ASSERT_FALSE(bell);
  EXPECT_EQ(bell.error().code, ErrorCode::already_exists);
}

TEST(access_lists, name_the_user_and_give_the_logon_no_right_to_create_instances) {
  const UserIdentity identity{L"S-1-5-21-1-2-3-1000", L"S-1-5-5-0-7", 1};
  EXPECT_EQ(object_sddl(identity),
            L"O:S-1-5-21-1-2-3-1000D:P(A;;GA;;;SY)(A;;GA;;;S-1-5-21-1-2-3-1000)S:(ML;;NW;;;ME)");
  EXPECT_EQ(pipe_sddl(identity),
            L"O:S-1-5-21-1-2-3-1000D:P(D;;GA;;;NU)(D;;GA;;;AN)(A;;GA;;;SY)"
            L"(A;;GA;;;S-1-5-21-1-2-3-1000)(A;;0x12019b;;;S-1-5-5-0-7)S:(ML;;NW;;;ME)");
  EXPECT_EQ(0x12019B & FILE_CREATE_PIPE_INSTANCE, 0);
  EXPECT_TRUE(SecurityAttributes::parse(pipe_sddl(identity)));
  EXPECT_FALSE(SecurityAttributes::parse(L"D:(nonsense"));
}

TEST(command_line, the_runtime_finds_the_same_words_again) {
  EXPECT_EQ(make_command_line("C:\\a b\\x.exe", {"", "a b", "c\"d", "e\\", "f\\\"g", "\\\\h"}),
            L"\"C:\\a b\\x.exe\" \"\" \"a b\" \"c\\\"d\" \"e\\\\\" \"f\\\\\\\"g\" \"\\\\h\"");
}

TEST(text, survives_both_ways_and_replaces_what_is_malformed) {
  const std::string text = "Grün 𝄞 音";
  EXPECT_EQ(to_utf8(to_wide(text)), text);
  EXPECT_EQ(to_wide("\xFF"), L"\xFFFD");
  EXPECT_EQ(to_wide(""), L"");
}

}  // namespace
}  // namespace asiodrv::platform
