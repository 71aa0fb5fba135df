// How the system's check is asked, with a check of our own in its place; and that the real one
// loads. What real files give is in tests/integration/test_verify.py.
#include "trust/windows/signature_check.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace asiodrv::trust {
namespace {

struct AskedFor {
  DWORD action = 0, ui = 0, revocation = 0, flags = 0, choice = 0;
  HWND window = nullptr;
  HANDLE file = nullptr;
  const void* state = nullptr;
};

std::vector<AskedFor> g_calls;
LONG g_answer = 0;
const int g_state = 0;

LONG WINAPI fake_verify(HWND window, GUID*, LPVOID given) {
  auto* const data = static_cast<WINTRUST_DATA*>(given);
  g_calls.push_back({data->dwStateAction, data->dwUIChoice, data->fdwRevocationChecks,
                     data->dwProvFlags, data->dwUnionChoice, window, data->pFile->hFile,
                     data->hWVTStateData});
  if (data->dwStateAction == WTD_STATEACTION_VERIFY) {
    data->hWVTStateData = const_cast<int*>(&g_state);
  }
  return g_answer;
}

CRYPT_PROVIDER_DATA* WINAPI no_provider(HANDLE) { return nullptr; }
CRYPT_PROVIDER_SGNR* WINAPI no_signer(CRYPT_PROVIDER_DATA*, DWORD, BOOL, DWORD) { return nullptr; }

TrustLibrary fake_library() {
  TrustLibrary library;
  library.verify = fake_verify;
  library.provider_of = no_provider;
  library.signer_of = no_signer;
  return library;
}

TEST(signature_check, it_is_asked_without_windows_and_without_the_network_and_always_closed) {
  for (const std::uint32_t code : {0U, 0x80096010U, 0x800B0109U, 0x800B0001U, 0x800B0100U}) {
    g_calls.clear();
    g_answer = static_cast<LONG>(code);
    int file = 0;
    const Signature signature = check_signature(fake_library(), &file, L"C:\\x.dll");
    EXPECT_EQ(signature.code, code);
    EXPECT_FALSE(signature.from_catalog);
    ASSERT_EQ(g_calls.size(), 2U) << code;
    const AskedFor& asked = g_calls[0];
    EXPECT_EQ(asked.action, WTD_STATEACTION_VERIFY);
    EXPECT_EQ(asked.ui, static_cast<DWORD>(WTD_UI_NONE));
    EXPECT_EQ(asked.revocation, static_cast<DWORD>(WTD_REVOKE_NONE));
    EXPECT_EQ(asked.flags & 0x1010U, 0x1010U) << "from caches only, no revocation";
    EXPECT_EQ(asked.choice, static_cast<DWORD>(WTD_CHOICE_FILE));
    EXPECT_EQ(asked.file, &file);
    EXPECT_EQ(asked.window, static_cast<HWND>(INVALID_HANDLE_VALUE));
    EXPECT_EQ(g_calls[1].action, WTD_STATEACTION_CLOSE);
    EXPECT_EQ(g_calls[1].state, &g_state);
  }
}

TEST(signature_check, nothing_of_it_is_loaded_until_somebody_asks) {
  EXPECT_EQ(GetModuleHandleW(L"wintrust.dll"), nullptr);
  EXPECT_EQ(GetModuleHandleW(L"iphlpapi.dll"), nullptr);
  const auto library = load_trust_library();
  ASSERT_TRUE(library) << library.error().message;
  EXPECT_NE(library->verify, nullptr);
  EXPECT_NE(GetModuleHandleW(L"wintrust.dll"), nullptr);
}

}  // namespace
}  // namespace asiodrv::trust
