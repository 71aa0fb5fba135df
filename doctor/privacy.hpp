// Takes people out of texts before they leave the machine.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asiodrv::doctor {

/// What must not be in a bundle; UTF-8. Empty where the system does not say.
struct PersonalNames {
  std::vector<std::string> folders;  ///< the home folder and others that name the user
  std::vector<std::string> users;    ///< sign-in name, full name
  std::vector<std::string> computers;
};

/// Of this user on this computer. Implemented per system.
[[nodiscard]] PersonalNames personal_names();

class Scrubber {
 public:
  explicit Scrubber(PersonalNames names);

  /// `text` with every known folder as <home>, every known user as <user>, computer as <computer>,
  /// the folder after \Users\ and /home/ as <user>, the computer of a network path as <computer>,
  /// whoever that is, user identifiers (S-1-5-21-..., S-1-12-1-...) as <user-id>, addresses of mail
  /// as <address>, and what tells two boxes of one kind on USB apart as <serial>. Without regard to
  /// case in ASCII; paths in any of their spellings (slashes, and backslashes doubled as in JSON).
  /// Names count as whole words, so that "Max" does not spoil "maximum"; of a name of several words
  /// each counts.
  [[nodiscard]] std::string scrub(std::string_view text) const;

  /// A JSON document with every text in it scrubbed, and its keys, which are ours, as they are: a
  /// user called Max must not make "max_frames" unreadable. What is no JSON is scrubbed as text.
  [[nodiscard]] std::string scrub_json(std::string_view document) const;

 private:
  std::vector<std::pair<std::string, std::string>> folders_;  ///< lower case, and what replaces it
  std::vector<std::pair<std::string, std::string>> words_;
};

}  // namespace asiodrv::doctor
