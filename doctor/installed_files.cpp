#include "doctor/installed_files.hpp"

#include <algorithm>
#include <cctype>

#include "doctor/identity.hpp"
#include "doctor/program_file.hpp"

namespace asiodrv::doctor {
namespace {

char folded(char c) noexcept {
  if (c == '/') return '\\';
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

}  // namespace

bool same_text(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::string folder_of(const std::string& path) {
  const std::size_t end = path.find_last_of("/\\");
  return end == std::string::npos ? std::string() : path.substr(0, end);
}

bool lies_in(const std::string& path, const std::string& folder) {
  if (folder.empty() || path.size() <= folder.size() + 1) return false;
  if (path.find("..") != std::string::npos) return false;
  const bool begins = std::equal(folder.begin(), folder.end(), path.begin(),
                                 [](char a, char b) { return folded(a) == folded(b); });
  return begins && folded(path[folder.size()]) == '\\';
}

std::string installed_driver(const std::string& program_path, unsigned bits) {
  const std::string folder = folder_of(program_path);
  const std::string wanted = bits == 64 ? "x64" : "x86";
  const char separator = program_path.find('\\') == std::string::npos ? '/' : '\\';
  const std::string base = folder + separator;
  for (const std::string& candidate : {base + kDriverFile, base + wanted + separator + kDriverFile,
                                       base + "asio-driver-" + wanted + ".dll"}) {
    const auto file = read_program_file(candidate);
    if (file && file->machine == wanted) return candidate;
  }
  return {};
}

}  // namespace asiodrv::doctor
