// When something was wrong, and with whom: what the injector really did. An xrun must lie in one.
// And when a host was at work as usual, which is no trouble but leaves less room for one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "simulation/world/scenario.hpp"

namespace asiodrv::simulation {

/// The questions reach back 3 s and 64 periods at most (a burst is told in such parts). Nothing
/// here happens more often than a hundred times a second, so nothing that is asked for is
/// forgotten; were it, it would be no excuse.
class Troubles {
 public:
  static constexpr std::size_t kKept = 1024;

  void add(Instant from, Instant to) RT_SAFE {
    Span& oldest = kept_[next_++ % kKept];
    forgotten_to_ = std::max(forgotten_to_, oldest.to);
    oldest = {from, to};
  }
  /// A trouble that ends when close() says so.
  void open(Instant from) RT_SAFE { open_from_ = open_++ == 0 ? from : open_from_; }
  void close(Instant now) RT_SAFE {
    if (--open_ == 0) add(open_from_, now);
  }
  [[nodiscard]] bool overlaps(Instant from, Instant to) const RT_SAFE {
    if (open_ > 0 && open_from_ <= to) return true;
    return std::any_of(kept_.begin(), kept_.end(), [&](const Span& each) {
      return each.from <= to && each.to >= from && each.to > Instant{};
    });
  }

  /// Everything that lasted until `from` or longer is known.
  [[nodiscard]] bool reaches(Instant from) const { return forgotten_to_ < from; }

  /// The newest one, for people.
  [[nodiscard]] Instant newest_from() const { return kept_[(next_ + kKept - 1) % kKept].from; }
  [[nodiscard]] Instant newest_to() const { return kept_[(next_ + kKept - 1) % kKept].to; }

 private:
  struct Span {
    Instant from{}, to{};
  };
  std::array<Span, kKept> kept_{};
  std::size_t next_ = 0;
  Instant forgotten_to_{};
  Instant open_from_{};
  int open_ = 0;
};

/// A host's usual callbacks that took time, each after the one before: up to 1500 a second (64
/// frames at 96 kHz), so several seconds of them.
class Loads {
 public:
  static constexpr std::size_t kKept = 8192;

  void add(Instant from, Instant to) RT_SAFE { kept_[next_++ % kKept] = {from, to}; }
  [[nodiscard]] bool overlaps(Instant from, Instant to) const RT_SAFE {
    const std::size_t known = std::min(next_, kKept);
    for (std::size_t back = 1; back <= known; ++back) {
      const Span& each = kept_[(next_ - back) % kKept];
      if (each.to < from) return false;  // and so are all before it
      if (each.from <= to) return true;
    }
    return false;
  }
  /// As Troubles::reaches.
  [[nodiscard]] bool reaches(Instant from) const {
    return next_ <= kKept || kept_[next_ % kKept].to < from;  // the oldest that is kept
  }

 private:
  struct Span {
    Instant from{}, to{};
  };
  std::array<Span, kKept> kept_{};
  std::size_t next_ = 0;
};

/// Until when each kind of fault was at work last.
class FaultTimes {
 public:
  void note(Fault kind, Instant until) RT_SAFE { last_[static_cast<std::size_t>(kind)] = until; }
  [[nodiscard]] bool any_since(std::initializer_list<Fault> kinds, Instant since) const {
    return std::any_of(kinds.begin(), kinds.end(),
                       [&](Fault kind) { return last_[static_cast<std::size_t>(kind)] >= since; });
  }

 private:
  std::array<Instant, kFaults> last_{};  // long before the world begins: never
};

}  // namespace asiodrv::simulation
