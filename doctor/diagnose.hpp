// From facts to causes. Pure: asks nobody, changes nothing.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "doctor/causes.hpp"
#include "doctor/facts.hpp"

namespace asiodrv::doctor {

struct Finding {
  const Cause* cause = nullptr;  ///< an entry of all_causes()
  std::string detail;            ///< what was seen here: names, paths, codes
  std::string fix;               ///< one thing to do
  unsigned bits = 0;             ///< 64 or 32: of the programs that it is about; 0: of all
};

struct Diagnosis {
  std::vector<Finding> findings;       ///< most likely first
  std::vector<std::string> undecided;  ///< sentences: what could not be looked at, and why
};

/// Each cause once at most for each thing that it is about. Unknown facts give no finding; those
/// that could have given one are listed as undecided.
[[nodiscard]] Diagnosis diagnose(const Facts& facts);

/// What a code of Windows' sound system means here: the id of a cause, never null.
[[nodiscard]] const char* cause_of_code(std::uint32_t code) noexcept;

// --- the parts, for diagnose() alone -------------------------------------------------------------

/// "ABOUT: WHY." Reasons are parts of sentences, or sentences of others with a full stop.
[[nodiscard]] std::string undecided_sentence(const std::string& about, const std::string& why);

/// Collects while the facts are gone through.
class Judge {
 public:
  explicit Judge(const Facts& facts) : facts_(facts) {}
  [[nodiscard]] Diagnosis take();

  void registration();
  void other_drivers();
  void service();
  void configuration();
  void system();
  void endpoints();
  void device();

 private:
  void find(const char* id, std::string detail, std::string fix = {});
  void find_for(unsigned bits, const char* id, std::string detail);
  template <class T>
  bool decided(const Known<T>& fact, const char* about);
  [[nodiscard]] bool has(const char* id) const noexcept;

  void registration_of(const Registration& view, unsigned bits);
  void file_of(const Registration& view, unsigned bits);
  void load_of(const Registration& view, unsigned bits);
  void versions_of(const Registration& view, unsigned bits);
  void microphone();
  void open_attempt();
  [[nodiscard]] bool wants_windows_sound() const;

  const Facts& facts_;
  Diagnosis diagnosis_;
};

template <class T>
bool Judge::decided(const Known<T>& fact, const char* about) {
  if (fact.known()) return true;
  diagnosis_.undecided.push_back(undecided_sentence(about, fact.why()));
  return false;
}

}  // namespace asiodrv::doctor
