// When something was wrong, and with whom: what the injector really did. An xrun must lie in one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::simulation {

class Troubles {
 public:
  void add(Instant from, Instant to) RT_SAFE { kept_[next_++ % kept_.size()] = {from, to}; }
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

  /// The newest one, for people.
  [[nodiscard]] Instant newest_from() const { return kept_[(next_ + 255) % 256].from; }
  [[nodiscard]] Instant newest_to() const { return kept_[(next_ + 255) % 256].to; }

 private:
  struct Span {
    Instant from{}, to{};
  };
  std::array<Span, 256> kept_{};
  std::size_t next_ = 0;
  Instant open_from_{};
  int open_ = 0;
};

}  // namespace asiodrv::simulation
