#include "trust/windows/file_facts.hpp"

#include <fmt/format.h>

#include <array>

#include "platform/windows/handle.hpp"
#include "platform/windows/text.hpp"
#include "trust/sha256.hpp"
#include "trust/signature_codes.hpp"
#include "trust/surroundings.hpp"
#include "trust/windows/access_path.hpp"
#include "trust/windows/signature_check.hpp"
#include "trust/windows/system_facts.hpp"

namespace asiodrv::trust {
namespace {

using platform::to_wide;
using platform::UniqueHandle;

constexpr const char* kElsewhere =
    "it lies on another computer, which is asked for named files only";

struct Opened {
  UniqueHandle file;
  DWORD error = 0;
};

/// Others may read meanwhile, and nobody write: what is hashed is what is checked.
Opened open_file(const std::string& path) {
  Opened opened;
  opened.file =
      UniqueHandle(CreateFileW(to_wide(path).c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr,
                               OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, nullptr));
  if (!opened.file) opened.error = GetLastError();
  // A pipe or a device would wait for somebody to write.
  if (opened.file && GetFileType(opened.file.get()) != FILE_TYPE_DISK) {
    opened.file.reset();
    opened.error = ERROR_ACCESS_DENIED;
  }
  return opened;
}

bool is_absent(DWORD error) {
  return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ||
         error == ERROR_INVALID_NAME || error == ERROR_BAD_NETPATH;
}

std::string why_not(DWORD error) {
  switch (error) {
    case ERROR_ACCESS_DENIED: return "the file may not be read by this account";
    case ERROR_SHARING_VIOLATION: return "another program is writing to the file";
    default: return fmt::format("the file could not be opened (Windows error {})", error);
  }
}

Result<std::vector<std::byte>> content_of(HANDLE file) {
  LARGE_INTEGER size{};
  if (!GetFileSizeEx(file, &size) || size.QuadPart < 0) {
    return fail(ErrorCode::access_denied, "the size of the file is not known");
  }
  if (static_cast<std::uint64_t>(size.QuadPart) > kMaxFileBytes) {
    return fail(ErrorCode::limit_reached,
                fmt::format("the file is larger than {} MiB", kMaxFileBytes >> 20));
  }
  std::vector<std::byte> content(static_cast<std::size_t>(size.QuadPart));
  std::size_t filled = 0;
  while (filled < content.size()) {
    const auto piece = static_cast<DWORD>(std::min<std::size_t>(content.size() - filled, 1 << 20));
    DWORD read = 0;
    if (!ReadFile(file, content.data() + filled, piece, &read, nullptr) || read == 0) {
      return fail(ErrorCode::access_denied, "the file could not be read to its end");
    }
    filled += read;
  }
  return content;
}

/// The mark that browsers put on downloads: a second stream of the same file.
Known<std::uint32_t> internet_zone(const std::string& path) {
  const UniqueHandle stream(CreateFileW((to_wide(path) + L":Zone.Identifier").c_str(), GENERIC_READ,
                                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                        nullptr, OPEN_EXISTING, 0, nullptr));
  if (!stream) {
    const DWORD error = GetLastError();
    if (is_absent(error)) return std::uint32_t{0};
    return Known<std::uint32_t>::unknown("the mark of downloads could not be read");
  }
  std::array<char, 1024> text{};
  DWORD read = 0;
  ReadFile(stream.get(), text.data(), static_cast<DWORD>(text.size()), &read, nullptr);
  const std::string_view content(text.data(), read);
  const std::size_t at = content.find("ZoneId=");
  if (at == std::string_view::npos || at + 7 >= content.size()) return std::uint32_t{0};
  const char digit = content[at + 7];
  return digit >= '0' && digit <= '9' ? static_cast<std::uint32_t>(digit - '0') : 0U;
}

std::string final_path(HANDLE file) {
  std::wstring path(32'768, L'\0');
  const DWORD length = GetFinalPathNameByHandleW(file, path.data(), static_cast<DWORD>(path.size()),
                                                 FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
  if (length == 0 || length >= path.size()) return {};
  std::string text = platform::to_utf8({path.data(), length});
  if (text.rfind("\\\\?\\UNC\\", 0) == 0) return "\\\\" + text.substr(8);
  return text.rfind("\\\\?\\", 0) == 0 ? text.substr(4) : text;
}

Place place_of(const FileContext& context, HANDLE file, const std::string& path,
               std::uint32_t hard_links) {
  Place place;
  place.hard_links = hard_links;
  const std::string real = final_path(file);
  const std::string& judged = real.empty() ? path : real;
  place.kind = volume_kind(judged).value_or(classify(judged, context.folders));
  place.links = links_on(path);
  if (context.wine) {
    place.writable =
        Known<Writable>::unknown("Wine's folders have the access rights of the system below it");
    return place;
  }
  Writable writable = who_may_change(judged, context.session_sids);
  if (!place.links.empty() && writable.answer != Writability::yes) {
    const Writable by_link = who_may_change(path, context.session_sids);
    if (by_link.answer != Writability::no) writable = by_link;
  }
  place.writable = std::move(writable);
  return place;
}

FileFacts nothing_of(const std::string& path, const std::string& why) {
  FileFacts facts;
  facts.path = path;
  facts.size_bytes = Known<std::uint64_t>::unknown(why);
  facts.sha256 = Known<std::string>::unknown(why);
  facts.structure = Known<PeFile>::unknown(why);
  facts.signature = Known<Signature>::unknown(why);
  facts.place = Known<Place>::unknown(why);
  facts.modified_s = Known<std::int64_t>::unknown(why);
  facts.internet_zone = Known<std::uint32_t>::unknown(why);
  return facts;
}

}  // namespace

FileContext make_file_context() {
  return {load_trust_library(), known_folders(), session_sids(), runs_under_wine()};
}

FileFacts look_at_file(const FileContext& context, const std::string& path) {
  if (!is_absolute(path)) return nothing_of(path, "its path names no folder");
  const Opened opened = open_file(path);
  if (!opened.file) {
    FileFacts facts = nothing_of(path, why_not(opened.error));
    facts.exists = !is_absent(opened.error);
    return facts;
  }
  FileFacts facts;
  facts.path = path;
  if (const auto content = content_of(opened.file.get())) {
    describe_content(facts, *content);
  } else {
    facts.sha256 = Known<std::string>::unknown(content.error().message);
    facts.structure = Known<PeFile>::unknown(content.error().message);
  }
  facts.signature =
      context.functions
          ? Known<Signature>(check_signature(*context.functions, opened.file.get(), to_wide(path)))
          : Known<Signature>::unknown(context.functions.error().message);
  BY_HANDLE_FILE_INFORMATION info{};
  const bool informed = GetFileInformationByHandle(opened.file.get(), &info) != 0;
  if (informed) facts.modified_s = unix_seconds(info.ftLastWriteTime);
  facts.place = place_of(context, opened.file.get(), path, informed ? info.nNumberOfLinks : 1);
  facts.internet_zone = internet_zone(path);
  return facts;
}

FileFacts look_at_found_file(const FileContext& context, const std::string& path) {
  if (!lies_elsewhere(path)) return look_at_file(context, path);
  FileFacts facts = nothing_of(path, kElsewhere);
  Place place;
  place.kind = PlaceKind::network;
  place.writable = Known<Writable>::unknown(kElsewhere);
  facts.place = std::move(place);
  return facts;
}

Known<std::uint32_t> signature_code_of(const FileContext& context, const std::string& path) {
  using Code = Known<std::uint32_t>;
  if (lies_elsewhere(path)) return Code::unknown(kElsewhere);
  if (!context.functions) return Code::unknown(context.functions.error().message);
  const Opened opened = open_file(path);
  if (!opened.file) return Code::unknown(why_not(opened.error));
  return effective_code(check_signature(*context.functions, opened.file.get(), to_wide(path)));
}

std::string full_path(const std::string& path) {
  std::wstring whole(32'768, L'\0');
  const DWORD length = GetFullPathNameW(to_wide(path).c_str(), static_cast<DWORD>(whole.size()),
                                        whole.data(), nullptr);
  if (length == 0 || length >= whole.size()) return path;
  whole.resize(length);
  std::string text = platform::to_utf8(whole);
  if (lies_elsewhere(text)) return text;  // it would ask that computer
  std::wstring spelled(32'768, L'\0');
  const DWORD spelled_length =
      GetLongPathNameW(whole.c_str(), spelled.data(), static_cast<DWORD>(spelled.size()));
  if (spelled_length == 0 || spelled_length >= spelled.size()) return text;
  return platform::to_utf8({spelled.data(), spelled_length});
}

Known<std::string> hash_of_file(const std::string& path) {
  if (!is_absolute(path)) return Known<std::string>::unknown("its path names no folder");
  if (lies_elsewhere(path)) return Known<std::string>::unknown(kElsewhere);
  const Opened opened = open_file(path);
  if (!opened.file) return Known<std::string>::unknown(why_not(opened.error));
  const auto content = content_of(opened.file.get());
  if (!content) return Known<std::string>::unknown(content.error().message);
  return sha256_hex(*content);
}

}  // namespace asiodrv::trust
