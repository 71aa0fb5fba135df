// The flight recorder: what happened in each cycle, always on, written by the engine thread without
// waiting for anybody, read by anybody. Answers "why did it click, and who caused it".
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::engine {

/// Why sound was damaged in a cycle. One cycle may have several causes (a bit each).
enum class XrunCause : std::uint32_t {
  late_wake = 1U << 0,       ///< the engine thread came late: the system did not run it in time
  late_client = 1U << 1,     ///< a client had not acknowledged by the deadline
  device_gap = 1U << 2,      ///< the device dropped data by itself
  engine_overrun = 1U << 3,  ///< everyone was in time, the engine was not
  client_away = 1U << 4,     ///< a client was not rung: still busy with an earlier cycle
  recovery = 1U << 5         ///< a client's sound was ramped back in after one of the above
};

/// Stable name of one cause, as in JSON.
[[nodiscard]] std::string_view cause_name(XrunCause cause) noexcept;

inline constexpr std::uint32_t kNoClient = 0;

/// One cycle. All times are nanoseconds after `boundary_ns`, saturated to 32 bits.
struct FlightRecord {
  std::uint64_t device_period;
  std::int64_t boundary_ns;    ///< Instant of the period's beginning
  std::uint32_t woken_ns;      ///< the engine thread ran
  std::uint32_t rung_ns;       ///< all clients were rung, waiting began; 0 = nobody was waited for
  std::uint32_t last_ack_ns;   ///< waiting ended; 0 = nobody was waited for
  std::uint32_t written_ns;    ///< the render block was complete
  std::uint32_t causes;        ///< bits of XrunCause; 0 = a good cycle
  std::uint32_t lost_periods;  ///< hardware periods that nobody served before this one
  std::uint32_t late_client;   ///< id of the first client that was late, or kNoClient
  std::uint16_t clients_rung;
  std::uint16_t clients_late;
  std::uint32_t busy_ns;     ///< the engine's own work in this cycle, waiting excluded
  std::uint32_t entered_ns;  ///< the first acknowledging client's callback began, as it says
  std::uint32_t reserved[2];
};
static_assert(sizeof(FlightRecord) == 64, "one cache line a cycle");

/// Damage to one client's sound (or to everyone's: client == kNoClient), by device period.
struct XrunEvent {
  std::uint64_t first_period;  ///< first damaged device period
  std::uint32_t periods;       ///< how many, at least 1
  std::uint32_t causes;        ///< bits of XrunCause
  std::uint32_t client;        ///< whose, or kNoClient for all
  std::uint32_t duration_ns;   ///< how late whatever was late came, saturated
};

/// Entries in a row, and the number of the first: they are counted from 0 since the recorder began.
template <class Entry>
struct FlightPage {
  std::uint64_t first = 0;  ///< without entries: of the one that would be next
  std::vector<Entry> entries;
};

/// Fixed-size rings; the oldest entries are overwritten. One writer (the engine thread), any
/// number of readers.
class FlightRecorder {
 public:
  static constexpr std::uint32_t kRecords = 1U << 14;  ///< 1 MiB; 10 s of 32-frame cycles
  static constexpr std::uint32_t kEvents = 1U << 13;

  FlightRecorder();
  ~FlightRecorder();
  FlightRecorder(const FlightRecorder&) = delete;
  FlightRecorder& operator=(const FlightRecorder&) = delete;

  /// Engine thread only. RT: wait-free.
  void write(const FlightRecord& record) RT_SAFE;
  void write(const XrunEvent& event) RT_SAFE;

  /// Copies of the newest `limit` entries, oldest first. Any thread; allocates. Entries that the
  /// writer overtakes while they are read are left out, and those before them.
  [[nodiscard]] std::vector<FlightRecord> newest_records(std::uint32_t limit) const;
  [[nodiscard]] std::vector<XrunEvent> newest_events(std::uint32_t limit) const;

  /// Copies of `most` entries at most from number `from` on, or from the oldest that is left.
  /// Otherwise as above.
  [[nodiscard]] FlightPage<FlightRecord> records_from(std::uint64_t from, std::uint32_t most) const;
  [[nodiscard]] FlightPage<XrunEvent> events_from(std::uint64_t from, std::uint32_t most) const;

  /// How many were ever written. A reader that saw fewer than this lost some to the ring.
  [[nodiscard]] std::uint64_t records_written() const noexcept;
  [[nodiscard]] std::uint64_t events_written() const noexcept;

 private:
  template <class Entry, std::uint32_t Capacity>
  class Ring;
  std::unique_ptr<Ring<FlightRecord, kRecords>> records_;
  std::unique_ptr<Ring<XrunEvent, kEvents>> events_;
};

}  // namespace asiodrv::engine
