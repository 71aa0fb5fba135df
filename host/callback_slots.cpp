#include "host/callback_slots.hpp"

#include <atomic>
#include <utility>

namespace asiodrv::host {
namespace {

struct Slot {
  std::atomic<bool> taken{false};
  std::atomic<CallbackSink*> sink{nullptr};
  std::atomic<int> inside{0};  ///< callbacks that may hold the sink
};

Slot g_slots[kCallbackSlots];  // constant-initialised; no destructor work

/// Holds the sink of a slot for one call. The order matters: first count, then look. detach() does
/// the reverse, so that one of the two sees the other.
class Visit {
 public:
  explicit Visit(Slot& slot) noexcept : slot_(slot) {
    slot_.inside.fetch_add(1, std::memory_order_seq_cst);
    sink_ = slot_.sink.load(std::memory_order_seq_cst);
  }
  ~Visit() { slot_.inside.fetch_sub(1, std::memory_order_release); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  [[nodiscard]] CallbackSink* sink() const noexcept { return sink_; }

 private:
  Slot& slot_;
  CallbackSink* sink_;
};

template <int kIndex>
struct Trampoline {
  static void ASIO_CALLBACK buffer_switch(std::int32_t half, std::int32_t direct) {
    const Visit visit(g_slots[kIndex]);
    if (visit.sink() != nullptr) visit.sink()->on_buffer(nullptr, half, direct);
  }
  static asio::Time* ASIO_CALLBACK buffer_switch_time_info(asio::Time* time, std::int32_t half,
                                                           std::int32_t direct) {
    const Visit visit(g_slots[kIndex]);
    if (visit.sink() != nullptr) visit.sink()->on_buffer(time, half, direct);
    return nullptr;
  }
  static void ASIO_CALLBACK rate_changed(double rate) {
    const Visit visit(g_slots[kIndex]);
    if (visit.sink() != nullptr) visit.sink()->on_rate(rate);
  }
  static std::int32_t ASIO_CALLBACK message(std::int32_t selector, std::int32_t value,
                                            void* pointer, double* option) {
    const Visit visit(g_slots[kIndex]);
    if (visit.sink() == nullptr) return 0;
    return visit.sink()->on_message(selector, value, pointer, option);
  }
  static constexpr asio::Callbacks kFunctions{buffer_switch, rate_changed, message,
                                              buffer_switch_time_info};
};

template <int... kIndices>
asio::Callbacks functions_of(int index, std::integer_sequence<int, kIndices...>) noexcept {
  static constexpr asio::Callbacks kAll[] = {Trampoline<kIndices>::kFunctions...};
  return kAll[index];
}

}  // namespace

CallbackSlot::CallbackSlot(CallbackSink& sink) noexcept {
  for (int index = 0; index < kCallbackSlots; ++index) {
    bool taken = false;
    if (g_slots[index].taken.compare_exchange_strong(taken, true)) {
      g_slots[index].sink.store(&sink, std::memory_order_seq_cst);
      index_ = index;
      return;
    }
  }
}

CallbackSlot::~CallbackSlot() {
  if (index_ < 0) return;
  Slot& slot = g_slots[index_];
  slot.sink.store(nullptr, std::memory_order_seq_cst);
  if (slot.inside.load(std::memory_order_seq_cst) == 0) slot.taken.store(false);
}

asio::Callbacks CallbackSlot::functions() const noexcept {
  if (index_ < 0) return {};
  return functions_of(index_, std::make_integer_sequence<int, kCallbackSlots>{});
}

bool CallbackSlot::detach(World& world, nanoseconds limit) {
  if (index_ < 0) return true;
  Slot& slot = g_slots[index_];
  slot.sink.store(nullptr, std::memory_order_seq_cst);
  return wait_until(world, limit, [&] { return slot.inside.load(std::memory_order_seq_cst) == 0; });
}

}  // namespace asiodrv::host
