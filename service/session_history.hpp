// Which streams there were: so that a flight record can be read after its client has left.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "core/base/units.hpp"

namespace asiodrv::service {

/// One run of one client, from start to stop.
struct SessionRun {
  std::uint32_t id = 0;  ///< of the session; one session may run several times
  std::string program;
  std::uint32_t process_id = 0;
  Frames frames{};
  std::optional<std::uint64_t> start_period;  ///< of sample position 0, once it is known
  bool ended = false;
  /// A start period at or before this one belongs to an earlier run.
  std::uint64_t after_period = 0;

  /// Takes the engine's present answer, if it is about this run.
  void note_start(std::uint64_t period) {
    if (!start_period && period > after_period) start_period = period;
  }
};

/// The newest kKept runs, oldest first. One thread at a time.
class SessionHistory {
 public:
  static constexpr std::size_t kKept = 64;

  void begin(SessionRun run) {
    if (runs_.size() == kKept) runs_.pop_front();
    runs_.push_back(std::move(run));
  }

  /// Takes the newest run back: it never came to be.
  void cancel() {
    if (!runs_.empty()) runs_.pop_back();
  }

  /// The run of session `id` that has not ended, or null.
  [[nodiscard]] SessionRun* current(std::uint32_t id) {
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
      if (run->id == id && !run->ended) return &*run;
    }
    return nullptr;
  }

  /// The program that session `id` belonged to, empty when it is no longer known.
  [[nodiscard]] std::string program(std::uint32_t id) const {
    for (const SessionRun& run : runs_) {
      if (run.id == id) return run.program;
    }
    return {};
  }

  [[nodiscard]] const std::deque<SessionRun>& runs() const noexcept { return runs_; }

 private:
  std::deque<SessionRun> runs_;
};

}  // namespace asiodrv::service
