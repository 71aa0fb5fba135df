// The program belongs to the GUI subsystem, because a console program would flash a window whenever
// a host starts it. Such a program gets no console of its own, so for its commands it borrows that
// of the shell it was started from. Streams that were redirected are inherited as for any program.
#include "cli/console.hpp"

// The first defines what the second needs.
// clang-format off
#include <windows.h>
#include <shellapi.h>
// clang-format on

#include <cstdio>
#include <cstdlib>

namespace asiodrv::cli {
namespace {

std::string narrow(const wchar_t* text) {
  const int bytes = WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr);
  if (bytes <= 1) return {};
  std::string utf8(static_cast<std::size_t>(bytes), '\0');
  WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8.data(), bytes, nullptr, nullptr);
  utf8.pop_back();  // the terminator
  return utf8;
}

bool leads_somewhere(DWORD which) {
  const HANDLE handle = GetStdHandle(which);
  return handle != nullptr && handle != INVALID_HANDLE_VALUE &&
         GetFileType(handle) != FILE_TYPE_UNKNOWN;
}

bool disk_took_all = true;

bool is_of_a_disk(DWORD error) {
  return error == ERROR_DISK_FULL || error == ERROR_HANDLE_DISK_FULL || error == ERROR_WRITE_FAULT;
}

/// Writes to a stream by its handle: the C library of a GUI program may have closed its own.
void write(DWORD which, std::string_view text) {
  const HANDLE handle = GetStdHandle(which);
  while (!text.empty()) {
    DWORD written = 0;
    const auto piece = static_cast<DWORD>(text.size() < 32768 ? text.size() : 32768);
    if (!WriteFile(handle, text.data(), piece, &written, nullptr)) {
      if (is_of_a_disk(GetLastError())) disk_took_all = false;
      return;
    }
    if (written == 0) return;
    text.remove_prefix(written);
  }
}

void use_console(DWORD which) {
  const HANDLE console =
      CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                  nullptr, OPEN_EXISTING, 0, nullptr);
  if (console != INVALID_HANDLE_VALUE) SetStdHandle(which, console);
}

}  // namespace

std::vector<std::string> program_arguments(int /*argc*/, char** /*argv*/) {
  std::vector<std::string> arguments;
  int count = 0;
  wchar_t** const wide = CommandLineToArgvW(GetCommandLineW(), &count);
  if (wide == nullptr) return arguments;
  for (int i = 1; i < count; ++i) arguments.push_back(narrow(wide[i]));
  LocalFree(wide);
  return arguments;
}

void attach_console() {
  const bool output = leads_somewhere(STD_OUTPUT_HANDLE);
  const bool error = leads_somewhere(STD_ERROR_HANDLE);
  if (output && error) return;
  if (!AttachConsole(ATTACH_PARENT_PROCESS)) return;
  // The code page is the console's, not ours: the shell and its other programs get theirs back.
  static const UINT former = GetConsoleOutputCP();
  if (SetConsoleOutputCP(CP_UTF8) != 0 && former != 0) {
    std::atexit([] { SetConsoleOutputCP(former); });
  }
  if (!output) use_console(STD_OUTPUT_HANDLE);
  if (!error) {
    use_console(STD_ERROR_HANDLE);
    std::freopen("CONOUT$", "w", stderr);  // the log writes through the C library
  }
}

void print(std::string_view text) { write(STD_OUTPUT_HANDLE, text); }
void print_error(std::string_view text) { write(STD_ERROR_HANDLE, text); }

bool output_is_complete() noexcept { return disk_took_all; }

std::optional<unsigned> screen_lines() {
  const HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
  DWORD mode = 0;
  CONSOLE_SCREEN_BUFFER_INFO info{};
  if (!GetConsoleMode(output, &mode) || !GetConsoleScreenBufferInfo(output, &info)) {
    return std::nullopt;
  }
  constexpr DWORD kControlSequences = 0x0004;  // ENABLE_VIRTUAL_TERMINAL_PROCESSING, Windows 10
  if (!SetConsoleMode(output, mode | kControlSequences)) return std::nullopt;
  return static_cast<unsigned>(info.srWindow.Bottom - info.srWindow.Top + 1);
}

bool output_takes_unicode() { return true; }  // attach_console chooses UTF-8

}  // namespace asiodrv::cli
