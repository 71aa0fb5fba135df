// The system's signature check. Loaded when somebody asks for it, so that the service, which lives
// in the same program, never carries it along.
#pragma once

#include <windows.h>
// What the next two need.
#include <wincrypt.h>
// clang-format off
#include <wintrust.h>
#include <mscat.h>
// clang-format on

#include "core/base/result.hpp"

namespace asiodrv::trust {

/// Functions of wintrust.dll and crypt32.dll; replaceable by tests. Those for catalogs may be null.
struct TrustLibrary {
  decltype(&::WinVerifyTrust) verify = nullptr;
  decltype(&::WTHelperProvDataFromStateData) provider_of = nullptr;
  decltype(&::WTHelperGetProvSignerFromChain) signer_of = nullptr;
  decltype(&::CertGetNameStringW) name_of = nullptr;
  decltype(&::CryptCATAdminAcquireContext2) catalogs_open = nullptr;
  decltype(&::CryptCATAdminReleaseContext) catalogs_close = nullptr;
  decltype(&::CryptCATAdminCalcHashFromFileHandle2) catalog_hash = nullptr;
  decltype(&::CryptCATAdminEnumCatalogFromHash) catalog_find = nullptr;
  decltype(&::CryptCATCatalogInfoFromContext) catalog_info = nullptr;
  decltype(&::CryptCATAdminReleaseCatalogContext) catalog_release = nullptr;
};

/// Error: unsupported. Loads on the first call.
[[nodiscard]] Result<TrustLibrary> load_trust_library();

}  // namespace asiodrv::trust
