#include "core/engine/flight_recorder.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace asiodrv::engine {

std::string_view cause_name(XrunCause cause) noexcept {
  switch (cause) {
    case XrunCause::late_wake: return "late_wake";
    case XrunCause::late_client: return "late_client";
    case XrunCause::device_gap: return "device_gap";
    case XrunCause::engine_overrun: return "engine_overrun";
    case XrunCause::client_away: return "client_away";
    case XrunCause::recovery: return "recovery";
  }
  return "unknown";
}

/// A ring of words. The writer fills a slot, then publishes its number; a reader copies a slot and
/// keeps the copy only if the writer cannot have reached that slot meanwhile.
template <class Entry, std::uint32_t Capacity>
class FlightRecorder::Ring {
  static_assert(std::has_single_bit(Capacity) && sizeof(Entry) % 8 == 0);
  static constexpr std::size_t kWords = sizeof(Entry) / 8;
  using Words = std::array<std::uint64_t, kWords>;

 public:
  /// Engine thread only. RT: wait-free.
  void push(const Entry& entry) noexcept {
    const std::uint64_t number = started_.load(std::memory_order_relaxed);  // ours alone
    started_.store(number + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);  // pairs with the reader's acquire fence
    auto& slot = slots_[number % Capacity];
    const auto words = std::bit_cast<Words>(entry);
    for (std::size_t i = 0; i < kWords; ++i) slot[i].store(words[i], std::memory_order_relaxed);
    finished_.store(number + 1, std::memory_order_release);  // publishes the slot
  }

  /// Any thread.
  [[nodiscard]] FlightPage<Entry> from(std::uint64_t number, std::uint32_t most) const {
    const std::uint64_t end = finished_.load(std::memory_order_acquire);
    const std::uint64_t oldest = end - std::min<std::uint64_t>(end, Capacity);
    FlightPage<Entry> page{std::clamp(number, oldest, end), {}};
    const std::uint64_t until = page.first + std::min<std::uint64_t>(most, end - page.first);
    page.entries.reserve(until - page.first);
    for (std::uint64_t each = page.first; each < until; ++each) {
      Entry entry{};
      if (read(each, entry)) {
        page.entries.push_back(entry);
        continue;
      }
      page.entries.clear();  // what was read before a gap has no number in this page
      page.first = each + 1;
    }
    return page;
  }

  /// Any thread.
  [[nodiscard]] std::vector<Entry> newest(std::uint32_t limit) const {
    const std::uint64_t end = written();
    return from(end - std::min<std::uint64_t>(end, limit), limit).entries;
  }

  [[nodiscard]] std::uint64_t written() const noexcept {
    return finished_.load(std::memory_order_acquire);
  }

 private:
  /// False when the writer has overwritten it while it was read.
  [[nodiscard]] bool read(std::uint64_t number, Entry& entry) const {
    const auto& slot = slots_[number % Capacity];
    Words words{};
    for (std::size_t i = 0; i < kWords; ++i) words[i] = slot[i].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    const std::uint64_t started = started_.load(std::memory_order_relaxed);
    if (started > number + Capacity) return false;
    entry = std::bit_cast<Entry>(words);
    return true;
  }

  std::atomic<std::uint64_t> started_{0};
  std::atomic<std::uint64_t> finished_{0};
  std::array<std::array<std::atomic<std::uint64_t>, kWords>, Capacity> slots_{};
};

FlightRecorder::FlightRecorder()
    : records_(std::make_unique<Ring<FlightRecord, kRecords>>()),
      events_(std::make_unique<Ring<XrunEvent, kEvents>>()) {}
FlightRecorder::~FlightRecorder() = default;

void FlightRecorder::write(const FlightRecord& record) RT_SAFE { records_->push(record); }
void FlightRecorder::write(const XrunEvent& event) RT_SAFE { events_->push(event); }

std::vector<FlightRecord> FlightRecorder::newest_records(std::uint32_t limit) const {
  return records_->newest(limit);
}
std::vector<XrunEvent> FlightRecorder::newest_events(std::uint32_t limit) const {
  return events_->newest(limit);
}
FlightPage<FlightRecord> FlightRecorder::records_from(std::uint64_t from,
                                                      std::uint32_t most) const {
  return records_->from(from, most);
}
FlightPage<XrunEvent> FlightRecorder::events_from(std::uint64_t from, std::uint32_t most) const {
  return events_->from(from, most);
}
std::uint64_t FlightRecorder::records_written() const noexcept { return records_->written(); }
std::uint64_t FlightRecorder::events_written() const noexcept { return events_->written(); }

}  // namespace asiodrv::engine
