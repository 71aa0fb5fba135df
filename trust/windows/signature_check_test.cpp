// How the system's check is asked, with a check of our own in its place; and that the real one
// loads. What real files give is in tests/integration/test_verify_signed.py.
#include "trust/windows/signature_check.hpp"

#include <gtest/gtest.h>

#include <string>
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
    EXPECT_EQ(asked.action, static_cast<DWORD>(WTD_STATEACTION_VERIFY));
    EXPECT_EQ(asked.ui, static_cast<DWORD>(WTD_UI_NONE));
    EXPECT_EQ(asked.revocation, static_cast<DWORD>(WTD_REVOKE_NONE));
    EXPECT_EQ(asked.flags & 0x1010U, 0x1010U) << "from caches only, no revocation";
    EXPECT_EQ(asked.choice, static_cast<DWORD>(WTD_CHOICE_FILE));
    EXPECT_EQ(asked.file, &file);
    EXPECT_EQ(asked.window, static_cast<HWND>(INVALID_HANDLE_VALUE));
    EXPECT_EQ(g_calls[1].action, static_cast<DWORD>(WTD_STATEACTION_CLOSE));
    EXPECT_EQ(g_calls[1].state, &g_state);
  }
}

// --- catalogs ------------------------------------------------------------------------------------

struct CatalogTalk {
  int opened = 0, closed = 0, released = 0;
  std::wstring algorithm, tag, member;
  HANDLE file = nullptr;
};

CatalogTalk g_catalogs;
const wchar_t* g_listed_by = L"";  ///< the algorithm by which a catalog knows the file
int g_catalog_context = 0, g_catalog_entry = 0;

BOOL WINAPI open_catalogs(HCATADMIN* context, const GUID*, PCWSTR algorithm,
                          PCCERT_STRONG_SIGN_PARA, DWORD) {
  ++g_catalogs.opened;
  g_catalogs.algorithm = algorithm;
  *context = &g_catalog_context;
  return TRUE;
}
BOOL WINAPI close_catalogs(HCATADMIN, DWORD) {
  ++g_catalogs.closed;
  return TRUE;
}
BOOL WINAPI hash_for_catalogs(HCATADMIN, HANDLE, DWORD* bytes, BYTE* hash, DWORD) {
  if (*bytes < 3) return FALSE;
  *bytes = 3;
  hash[0] = 0x0A;
  hash[1] = 0xBC;
  hash[2] = 0xFF;
  return TRUE;
}
HCATINFO WINAPI find_in_catalogs(HCATADMIN, BYTE*, DWORD, DWORD, HCATINFO*) {
  return g_catalogs.algorithm == g_listed_by ? static_cast<HCATINFO>(&g_catalog_entry) : nullptr;
}
BOOL WINAPI tell_catalog(HCATINFO, CATALOG_INFO* info, DWORD) {
  lstrcpyW(info->wszCatalogFile, L"C:\\a.cat");
  return TRUE;
}
BOOL WINAPI release_catalog(HCATADMIN, HCATINFO, DWORD) {
  ++g_catalogs.released;
  return TRUE;
}

/// No signature in the file itself; in its catalog `g_answer`.
LONG WINAPI verify_by_catalog(HWND, GUID*, LPVOID given) {
  auto* const data = static_cast<WINTRUST_DATA*>(given);
  if (data->dwUnionChoice != WTD_CHOICE_CATALOG) return static_cast<LONG>(0x800B0100);
  g_catalogs.tag = data->pCatalog->pcwszMemberTag;
  g_catalogs.member = data->pCatalog->pcwszMemberFilePath;
  g_catalogs.file = data->pCatalog->hMemberFile;
  return g_answer;
}

Signature checked_by_catalog(const wchar_t* listed_by, LONG answer, HANDLE file) {
  TrustLibrary library = fake_library();
  library.verify = verify_by_catalog;
  library.catalogs_open = open_catalogs;
  library.catalogs_close = close_catalogs;
  library.catalog_hash = hash_for_catalogs;
  library.catalog_find = find_in_catalogs;
  library.catalog_info = tell_catalog;
  library.catalog_release = release_catalog;
  g_catalogs = {};
  g_listed_by = listed_by;
  g_answer = answer;
  return check_signature(library, file, L"C:\\x.dll");
}

TEST(signature_check, a_file_without_a_signature_is_looked_up_in_catalogs_of_both_kinds) {
  int file = 0;
  for (const wchar_t* const algorithm : {L"SHA256", L"SHA1"}) {
    const Signature signature = checked_by_catalog(algorithm, 0, &file);
    EXPECT_EQ(signature.code, 0U);
    EXPECT_TRUE(signature.from_catalog);
    EXPECT_EQ(g_catalogs.tag, L"0ABCFF");
    EXPECT_EQ(g_catalogs.member, L"C:\\x.dll");
    EXPECT_EQ(g_catalogs.file, &file);
    EXPECT_EQ(g_catalogs.released, 1);
    EXPECT_EQ(g_catalogs.opened, g_catalogs.closed);
  }
}

TEST(signature_check, what_the_catalog_says_counts_and_no_catalog_is_no_signature) {
  int file = 0;
  EXPECT_EQ(checked_by_catalog(L"SHA256", static_cast<LONG>(0x800B010C), &file).code, 0x800B010CU);
  const Signature none = checked_by_catalog(L"", 0, &file);
  EXPECT_EQ(none.code, 0x800B0100U);
  EXPECT_FALSE(none.from_catalog);
  EXPECT_EQ(g_catalogs.opened, 2);
  EXPECT_EQ(g_catalogs.closed, 2);
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
