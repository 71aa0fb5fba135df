// Facts that follow from other facts: which registrations look like which, and what starts a file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trust/facts.hpp"

namespace asiodrv::trust {

/// What every vendor's build of this kit is called. Product, class and signer tell them apart; that
/// the files have one name says nothing.
inline constexpr const char* kKitLibrary = "asio-driver.dll";
inline constexpr const char* kKitProgram = "asio-driver.exe";

/// Fills in what the bytes of a file say: size, hash, structure.
void describe_content(FileFacts& file, std::span<const std::byte> content);

/// Those that lead to the file at `path`, and those by which the user's registry leads the same
/// classes elsewhere.
[[nodiscard]] std::vector<Registration> registrations_of(const std::vector<Registration>& all,
                                                         const std::string& path);

/// Other registrations that could pass for those of the file at `path`. The two files of one driver
/// for 64 and 32-bit programs are no duplicates, nor are those of two vendors of this kit for their
/// files' name. `hash_of` gives a file's SHA-256.
[[nodiscard]] std::vector<Duplicate> duplicates_of(
    const std::vector<Registration>& all, const std::string& path,
    const std::function<Known<std::string>(const std::string&)>& hash_of);

/// True when `command` starts or loads the file at `path`: by its whole path, or by its name alone
/// as a word of its own. `command` has its variables expanded.
[[nodiscard]] bool leads_to(const std::string& command, const std::string& path);

/// `text` with other names for those variables that mean other folders to 32-bit programs, so that
/// a 64-bit one can expand it in their place ("%ProgramFiles%" becomes "%ProgramFiles(x86)%").
[[nodiscard]] std::string with_variables_of_32(std::string text);

/// One key of "Image File Execution Options".
struct ImageOptions {
  std::string where;                    ///< the key
  std::optional<std::string> only_for;  ///< a filter's file; none: for every program of the name
  std::string debugger;                 ///< what is started in the program's place; or empty
  bool exit_is_watched = false;         ///< the monitor is started when the program ends
};

/// What the system starts in place of, or after, the program at `path`, by the options of its name
/// and by those filters that are for this very file. `monitor`: what watches exits, if they are
/// watched; without a command there is none.
[[nodiscard]] std::vector<Persistence> replaced_by(const std::vector<ImageOptions>& options,
                                                   const std::string& path,
                                                   const Persistence& monitor);

/// The text of a UTF-16 file that says that it is one; of any other the readable ASCII, in UTF-16
/// too. For finding paths in it.
[[nodiscard]] std::string readable_text(std::span<const std::byte> content);

/// What a task file (XML) starts: its commands and their arguments; all of its text without any.
[[nodiscard]] std::string task_command(const std::string& text);

}  // namespace asiodrv::trust
