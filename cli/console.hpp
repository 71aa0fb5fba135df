// How the program reads its arguments and reaches its terminal, on each system.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiodrv::cli {

/// The arguments after the program's name, UTF-8. `argc` and `argv` are what main was given.
[[nodiscard]] std::vector<std::string> program_arguments(int argc, char** argv);

/// Connects the standard streams with the terminal that the program was started from, where the
/// system has not done so. Streams that lead into a file or a pipe stay as they are.
void attach_console();

/// Writes UTF-8 text to the standard output or error stream.
void print(std::string_view text);
void print_error(std::string_view text);
/// False once a disk has refused what was to be printed: it is full or broken. A reader that has
/// left its pipe wanted no more, and is not looked at.
[[nodiscard]] bool output_is_complete() noexcept;

/// How many lines the terminal has that the output leads to, made ready for control sequences.
/// Nothing when it leads elsewhere or the terminal has none.
[[nodiscard]] std::optional<unsigned> screen_lines();

/// True when the output can show more than ASCII.
[[nodiscard]] bool output_takes_unicode();

}  // namespace asiodrv::cli
