// The shared-memory ABI between the service and one client session.
//
//   offset   size  written by  what
//   0        64    service     SectionHeader: shape of the section, constant for the client
//   64       64    service     wake doorbell words (count, sleepers), on a line of their own
//   128      128   service     CycleStamp: valid from a ring until the client's acknowledgement
//   256      64    client      ack doorbell words
//   320      64    client      CycleReply: valid from an acknowledgement until the next ring
//   384      ...   both        audio: inputs (service writes), then outputs (client writes)
//
// Audio is [direction][channel][half][frame], each half block 64-byte aligned, in the order in
// which the client asked for its channels. The host's own buffer pointers point here, so nothing
// is copied on the client's side.
//
// One cycle, k = 0, 1, 2, ...:
//   service  copies the input into half h, writes CycleStamp{half = h}, rings wake with k + 1
//   client   calls the host with half h, writes CycleReply{next_half}, rings ack with k + 1
//   service  reads outputs of half h when it sees the acknowledgement or gives the client up
// The client names the half of the next cycle, because it may have called its host on its own
// (with silence) while the service was away. The service uses one bit of that word and nothing
// else; a client that writes nonsense here hurts only its own sound.
//
// While CycleReply.mode is `free_running` the client owns both halves: the service rings with
// kStampResync and touches no audio until an acknowledgement with mode `following` came back.
//
// x86 and x64 map the same bytes: fixed widths, no pointers, no bool, explicit padding. Readers
// copy each structure once and judge the copy; the peer may write at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/sample_type.hpp"
#include "core/base/units.hpp"

namespace asiodrv::wire {

inline constexpr std::uint32_t kSectionMagic = 0x56494441;  // "ADIV"
inline constexpr std::uint32_t kSectionVersion = 1;
inline constexpr std::uint32_t kMaxChannels = 1024;  ///< per direction
inline constexpr std::uint32_t kMinFrames = 16;
inline constexpr std::uint32_t kMaxFrames = 8192;

struct SectionHeader {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t total_bytes;
  std::uint32_t sample_type;  ///< SampleType
  std::uint32_t frames;       ///< of one half
  std::uint32_t inputs;       ///< channels that the client created buffers for
  std::uint32_t outputs;
  std::uint32_t reserved[9];
};
static_assert(sizeof(SectionHeader) == 64);

/// Bits of CycleStamp.flags.
inline constexpr std::uint32_t kStampRateChanged = 1U << 0;
inline constexpr std::uint32_t kStampClockChanged = 1U << 1;
inline constexpr std::uint32_t kStampResync = 1U << 2;         ///< no audio in this cycle
inline constexpr std::uint32_t kStampDiscontinuity = 1U << 3;  ///< frames were lost before it

struct CycleStamp {
  std::uint64_t sample_position;  ///< frames since start; lost periods count
  std::int64_t boundary_ns;       ///< Instant of the period's beginning
  std::int64_t period_ns;         ///< nominal length of a cycle of this client
  std::uint32_t half;             ///< 0 or 1
  std::uint32_t flags;
  double rate_hz;       ///< 0 = unknown
  std::int64_t gap_ns;  ///< the longest time between two rings; 0 = period_ns
  std::uint32_t reserved[20];
};
static_assert(sizeof(CycleStamp) == 128);

enum class ReplyMode : std::uint32_t { following = 0, free_running = 1 };

struct CycleReply {
  std::uint32_t next_half;  ///< bit 0
  std::uint32_t mode;       ///< ReplyMode
  std::int64_t entered_ns;  ///< Instant at which the host's callback was called
  std::int64_t left_ns;     ///< Instant at which it returned
  std::uint32_t reserved[10];
};
static_assert(sizeof(CycleReply) == 64);

inline constexpr std::size_t kWakeOffset = 64;
inline constexpr std::size_t kStampOffset = 128;
inline constexpr std::size_t kAckOffset = 256;
inline constexpr std::size_t kReplyOffset = 320;
inline constexpr std::size_t kAudioOffset = 384;

/// Where everything is in a section of one shape. A plain value, computed by both sides.
struct SectionLayout {
  SampleType type = SampleType::float32;
  Frames frames{};
  std::uint32_t inputs = 0;
  std::uint32_t outputs = 0;

  /// Bytes from one half block to the next: frames * sample size, rounded up to 64.
  [[nodiscard]] constexpr std::size_t half_stride() const noexcept {
    return (std::size_t{frames.count} * sample_bytes(type) + 63) / 64 * 64;
  }
  [[nodiscard]] constexpr std::size_t input_offset(std::uint32_t channel,
                                                   std::uint32_t half) const noexcept {
    return kAudioOffset + (std::size_t{channel} * 2 + half) * half_stride();
  }
  [[nodiscard]] constexpr std::size_t output_offset(std::uint32_t channel,
                                                    std::uint32_t half) const noexcept {
    return kAudioOffset + ((std::size_t{inputs} + channel) * 2 + half) * half_stride();
  }
  [[nodiscard]] constexpr std::size_t total_bytes() const noexcept {
    return kAudioOffset + (std::size_t{inputs} + outputs) * 2 * half_stride();
  }
};

/// Writes the header of a fresh region. `region` holds at least layout.total_bytes().
void write_header(std::span<std::byte> region, const SectionLayout& layout) noexcept;

/// Copies and judges the header of a region that a peer made: magic, version, every limit, and
/// that the whole layout fits into `region`. Nothing on any violation.
[[nodiscard]] std::optional<SectionLayout> read_header(std::span<const std::byte> region) noexcept;

/// Copy in and out of the section, field by field from shared memory exactly once. RT: wait-free.
void write_stamp(std::span<std::byte> region, const CycleStamp& stamp) noexcept;
[[nodiscard]] CycleStamp read_stamp(std::span<const std::byte> region) noexcept;
void write_reply(std::span<std::byte> region, const CycleReply& reply) noexcept;
[[nodiscard]] CycleReply read_reply(std::span<const std::byte> region) noexcept;

}  // namespace asiodrv::wire
