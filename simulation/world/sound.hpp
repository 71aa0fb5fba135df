// What should be heard. Each client plays a number that says who, on which channel, and how many
// frames after its start; the device's wires bring it back; the ledger says, for every period of
// the device, who played what.
//
//   number = (frame mod kFrames) * 40 + client * 8 + channel + 1        below 2^21
//   sample = number * 2^-24                                             exact in a float
//
// Five clients on one output add up to less than 1 and below 2^24: every sum is exact as well, and
// no clipping changes it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/units.hpp"
#include "simulation/world/scenario.hpp"

namespace asiodrv::simulation {

class Pattern {
 public:
  static constexpr std::uint64_t kFrames = 52'391;  // prime: no period divides it

  explicit Pattern(Frames longest);

  /// Writes `frames` samples of (client, channel) from frame number `first` on.
  void write(float* into, std::uint32_t client, std::uint32_t channel, std::uint64_t first,
             Frames frames) const;
  /// Adds them.
  void add(float* into, std::uint32_t client, std::uint32_t channel, std::uint64_t first,
           Frames frames) const;

  struct Meaning {
    bool valid = false;
    std::uint32_t client = 0, channel = 0;
    std::uint64_t frame = 0;  ///< modulo kFrames
  };
  /// What one client's sample says.
  [[nodiscard]] static Meaning read(float sample) noexcept;

 private:
  static float offset(std::uint32_t client, std::uint32_t channel) noexcept;
  std::vector<float> frames_;
};

/// One client's part in one period of the device.
struct Contribution {
  enum class Kind : std::uint8_t {
    none,     ///< it did not play: silence
    exact,    ///< its pattern from frame `first` on
    unknown,  ///< it was ending, or has scribbled: anything
  };
  Kind kind = Kind::none;
  std::uint32_t outputs = 0;  ///< bit mask of device outputs
  std::uint64_t first = 0;
};

/// One period of the device as the world saw it, and as the flight recorder tells it.
struct Period {
  std::uint64_t take = 0, index = 0;  ///< take 0: empty
  Instant boundary{}, woken{};        ///< woken: the engine was given it
  bool played = false;                ///< the device has taken the block
  std::array<Contribution, kMaxHosts> parts{};

  // --- from the flight recorder
  bool recorded = false;
  std::uint64_t number = 0;   ///< as the flight recorder counts
  std::uint32_t causes = 0;   ///< of the cycle
  bool everyone = false;      ///< damage to all
  std::uint32_t damaged = 0;  ///< bit per host, by name
};

/// The last kKept periods.
class Ledger {
 public:
  static constexpr std::uint64_t kKept = 4096;

  Ledger() : periods_(kKept) {}

  /// The period `index` of `take`; made when it is new.
  Period& at(std::uint64_t take, std::uint64_t index);
  /// Null when it is not known (any more).
  [[nodiscard]] Period* find(std::uint64_t take, std::uint64_t index);
  /// The one that began at `boundary`, looking back from `newest`.
  [[nodiscard]] Period* find(std::uint64_t take, std::uint64_t newest, Instant boundary);

 private:
  std::vector<Period> periods_;
};

}  // namespace asiodrv::simulation
