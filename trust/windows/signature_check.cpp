#include "trust/windows/signature_check.hpp"

#include <fmt/format.h>

#include <array>
#include <span>
#include <type_traits>
#include <vector>

#include "platform/windows/library.hpp"
#include "platform/windows/text.hpp"
#include "trust/certificate.hpp"
#include "trust/sha256.hpp"

namespace asiodrv::trust {
namespace {

constexpr DWORD kDisableMd2Md4 = 0x2000;  // not in the headers of this toolchain
constexpr std::uint32_t kNoSignature = 0x800B0100;
constexpr char kCommonName[] = "2.5.4.3", kOrganization[] = "2.5.4.10", kCountry[] = "2.5.4.6";

// Of softpub.h, which defines them in every file that includes it.
constexpr GUID kGenericVerify = {
    0x00AAC56B, 0xCD44, 0x11D0, {0x8C, 0xC2, 0x00, 0xC0, 0x4F, 0xC2, 0x95, 0xEE}};
constexpr GUID kDriverActionVerify = {
    0xF750E6C3, 0x38EE, 0x11D1, {0x85, 0xE5, 0x00, 0xC0, 0x4F, 0xC2, 0x95, 0xEE}};

template <class Pointer>
void load(Pointer& function, const wchar_t* library, const char* name) {
  function = platform::system_function<std::remove_pointer_t<Pointer>>(library, name);
}

std::string name_part(const TrustLibrary& library, PCCERT_CONTEXT certificate, DWORD flags,
                      const char* attribute) {
  std::array<wchar_t, 512> text{};
  // The call takes the attribute's identifier through a pointer that it does not write to.
  void* const which = const_cast<char*>(attribute);
  const DWORD length = library.name_of(certificate, CERT_NAME_ATTR_TYPE, flags, which, text.data(),
                                       static_cast<DWORD>(text.size()));
  return length <= 1 ? std::string() : platform::to_utf8({text.data(), length - 1});
}

std::span<const std::byte> encoded(PCCERT_CONTEXT certificate) {
  return std::as_bytes(std::span(certificate->pbCertEncoded, certificate->cbCertEncoded));
}

Signer read_signer(const TrustLibrary& library, PCCERT_CONTEXT certificate) {
  Signer signer;
  signer.common_name = name_part(library, certificate, 0, kCommonName);
  signer.organization = name_part(library, certificate, 0, kOrganization);
  signer.country = name_part(library, certificate, 0, kCountry);
  signer.issuer = name_part(library, certificate, CERT_NAME_ISSUER_FLAG, kCommonName);
  const auto& serial = certificate->pCertInfo->SerialNumber;  // the lowest byte first
  for (DWORD index = serial.cbData; index-- > 0;) {
    signer.serial += fmt::format("{:02x}", serial.pbData[index]);
  }
  signer.sha256 = sha256_hex(encoded(certificate));
  if (const auto key = public_key_of(ByteView(encoded(certificate)))) {
    signer.public_key_sha256 = sha256_hex(key->bytes());
  }
  return signer;
}

bool same_blob(const CERT_NAME_BLOB& a, const CERT_NAME_BLOB& b) {
  return a.cbData == b.cbData && std::equal(a.pbData, a.pbData + a.cbData, b.pbData);
}

/// One call of the check; its state is given back however it ended.
class TrustCall {
 public:
  TrustCall(const TrustLibrary& library, WINTRUST_DATA& data) : library_(library), data_(data) {
    data_.cbStruct = sizeof data_;
    data_.dwUIChoice = WTD_UI_NONE;
    data_.fdwRevocationChecks = WTD_REVOKE_NONE;
    data_.dwProvFlags = WTD_CACHE_ONLY_URL_RETRIEVAL | WTD_REVOCATION_CHECK_NONE | kDisableMd2Md4;
    data_.dwStateAction = WTD_STATEACTION_VERIFY;
    code_ = call();
  }
  ~TrustCall() {
    data_.dwStateAction = WTD_STATEACTION_CLOSE;
    call();
  }
  TrustCall(const TrustCall&) = delete;
  TrustCall& operator=(const TrustCall&) = delete;

  [[nodiscard]] Signature signature() const {
    Signature signature;
    signature.code = code_;
    CRYPT_PROVIDER_DATA* const provider =
        data_.hWVTStateData != nullptr ? library_.provider_of(data_.hWVTStateData) : nullptr;
    const CRYPT_PROVIDER_SGNR* const signer =
        provider != nullptr ? library_.signer_of(provider, 0, FALSE, 0) : nullptr;
    if (signer == nullptr || signer->csCertChain == 0 || signer->pasCertChain == nullptr ||
        signer->pasCertChain[0].pCert == nullptr) {
      return signature;
    }
    const PCCERT_CONTEXT leaf = signer->pasCertChain[0].pCert;
    const PCCERT_CONTEXT last = signer->pasCertChain[signer->csCertChain - 1].pCert;
    signature.signer = read_signer(library_, leaf);
    if (last != nullptr) signature.root = name_part(library_, last, 0, kCommonName);
    signature.self_signed = same_blob(leaf->pCertInfo->Issuer, leaf->pCertInfo->Subject);
    signature.timestamped = signer->csCounterSigners > 0;
    if (signer->pChainContext != nullptr) {
      signature.chain_errors = signer->pChainContext->TrustStatus.dwErrorStatus;
    }
    return signature;
  }

 private:
  std::uint32_t call() {
    GUID action = kGenericVerify;
    const LONG code = library_.verify(static_cast<HWND>(INVALID_HANDLE_VALUE), &action, &data_);
    return static_cast<std::uint32_t>(code);
  }

  const TrustLibrary& library_;
  WINTRUST_DATA& data_;
  std::uint32_t code_ = 0;
};

Signature check_embedded(const TrustLibrary& library, HANDLE file, const std::wstring& path) {
  WINTRUST_FILE_INFO info{};
  info.cbStruct = sizeof info;
  info.pcwszFilePath = path.c_str();
  info.hFile = file;
  WINTRUST_DATA data{};
  data.dwUnionChoice = WTD_CHOICE_FILE;
  data.pFile = &info;
  return TrustCall(library, data).signature();
}

/// The catalogs by one kind of hash, and the entry for one file in them.
class Catalogs {
 public:
  Catalogs(const TrustLibrary& library, const wchar_t* algorithm) : library_(library) {
    if (library.catalogs_open == nullptr || library.catalogs_close == nullptr ||
        library.catalog_hash == nullptr || library.catalog_find == nullptr ||
        library.catalog_info == nullptr || library.catalog_release == nullptr ||
        !library.catalogs_open(&context_, &kDriverActionVerify, algorithm, nullptr, 0)) {
      context_ = nullptr;
    }
  }
  ~Catalogs() {
    if (entry_ != nullptr) library_.catalog_release(context_, entry_, 0);
    if (context_ != nullptr) library_.catalogs_close(context_, 0);
  }
  Catalogs(const Catalogs&) = delete;
  Catalogs& operator=(const Catalogs&) = delete;

  bool find(HANDLE file) {
    auto size = static_cast<DWORD>(hash_.size());
    if (context_ == nullptr || !library_.catalog_hash(context_, file, &size, hash_.data(), 0) ||
        size > hash_.size()) {
      return false;
    }
    hash_size_ = size;
    entry_ = library_.catalog_find(context_, hash_.data(), size, 0, nullptr);
    info_.cbStruct = sizeof info_;
    return entry_ != nullptr && library_.catalog_info(entry_, &info_, 0);
  }

  Signature check(HANDLE file, const std::wstring& path) {
    std::wstring tag;
    for (DWORD index = 0; index < hash_size_; ++index) {
      tag += platform::to_wide(fmt::format("{:02X}", hash_[index]));
    }
    WINTRUST_CATALOG_INFO member{};
    member.cbStruct = sizeof member;
    member.pcwszCatalogFilePath = info_.wszCatalogFile;
    member.pcwszMemberTag = tag.c_str();
    member.pcwszMemberFilePath = path.c_str();
    member.hMemberFile = file;
    member.pbCalculatedFileHash = hash_.data();
    member.cbCalculatedFileHash = hash_size_;
    member.hCatAdmin = context_;
    WINTRUST_DATA data{};
    data.dwUnionChoice = WTD_CHOICE_CATALOG;
    data.pCatalog = &member;
    Signature signature = TrustCall(library_, data).signature();
    signature.from_catalog = true;
    return signature;
  }

 private:
  const TrustLibrary& library_;
  HCATADMIN context_ = nullptr;
  HCATINFO entry_ = nullptr;
  CATALOG_INFO info_{};
  std::array<BYTE, 64> hash_{};
  DWORD hash_size_ = 0;
};

}  // namespace

Result<TrustLibrary> load_trust_library() {
  TrustLibrary library;
  load(library.verify, L"wintrust.dll", "WinVerifyTrust");
  load(library.provider_of, L"wintrust.dll", "WTHelperProvDataFromStateData");
  load(library.signer_of, L"wintrust.dll", "WTHelperGetProvSignerFromChain");
  load(library.catalogs_open, L"wintrust.dll", "CryptCATAdminAcquireContext2");
  load(library.catalogs_close, L"wintrust.dll", "CryptCATAdminReleaseContext");
  load(library.catalog_hash, L"wintrust.dll", "CryptCATAdminCalcHashFromFileHandle2");
  load(library.catalog_find, L"wintrust.dll", "CryptCATAdminEnumCatalogFromHash");
  load(library.catalog_info, L"wintrust.dll", "CryptCATCatalogInfoFromContext");
  load(library.catalog_release, L"wintrust.dll", "CryptCATAdminReleaseCatalogContext");
  load(library.name_of, L"crypt32.dll", "CertGetNameStringW");
  if (library.verify == nullptr || library.provider_of == nullptr || library.signer_of == nullptr ||
      library.name_of == nullptr) {
    return fail(ErrorCode::unsupported, "the system's signature check could not be loaded");
  }
  return library;
}

Signature check_signature(const TrustLibrary& library, HANDLE file, const std::wstring& path) {
  Signature embedded = check_embedded(library, file, path);
  if (embedded.code != kNoSignature) return embedded;
  for (const wchar_t* const algorithm : {L"SHA256", L"SHA1"}) {
    Catalogs catalogs(library, algorithm);
    if (catalogs.find(file)) return catalogs.check(file, path);
  }
  return embedded;
}

}  // namespace asiodrv::trust
