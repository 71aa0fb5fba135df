#include "devices/wasapi/windows/windows_system.hpp"

#include <windows.h>
// The line between keeps the order: the next one needs the types of the first.
#include <objbase.h>
#include <propidl.h>

#include <algorithm>
#include <array>

namespace asiodrv::devices::wasapi {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kMaxEvents = 8;
constexpr std::int64_t kLongestWaitMs = 3'600'000;

static_assert(sizeof(GUID) == sizeof(Guid) && sizeof(PROPVARIANT) == sizeof(PropertyValue));

GUID native(const Guid& id) {
  GUID result{id.a, id.b, id.c, {}};
  std::copy(std::begin(id.d), std::end(id.d), std::begin(result.Data4));
  return result;
}

/// The apartment must be left on the thread that entered it; whoever fails to do so keeps it open,
/// which is the lesser evil.
class ComHold {
 public:
  ComHold() noexcept : entered_(SUCCEEDED(CoInitializeEx(nullptr, COINIT_MULTITHREADED))) {}
  ComHold(const ComHold&) = delete;
  ComHold& operator=(const ComHold&) = delete;
  ~ComHold() {
    if (entered_ && GetCurrentThreadId() == thread_) CoUninitialize();
  }
  [[nodiscard]] bool entered() const noexcept { return entered_; }

 private:
  const bool entered_;
  const DWORD thread_ = GetCurrentThreadId();
};

class WindowsSystem final : public System {
 public:
  WindowsSystem() noexcept {
    LARGE_INTEGER asked;
    QueryPerformanceFrequency(&asked);
    frequency_ = asked.QuadPart;
    has_apartment_ = SUCCEEDED(CoIncrementMTAUsage(&apartment_));
  }
  WindowsSystem(const WindowsSystem&) = delete;
  WindowsSystem& operator=(const WindowsSystem&) = delete;
  ~WindowsSystem() override {
    if (has_apartment_) CoDecrementMTAUsage(apartment_);
  }

  Hr make_enumerator(MmDeviceEnumerator** enumerator) override {
    *enumerator = nullptr;
    const GUID class_id = native(MmDeviceEnumerator::kClassId);
    const GUID interface_id = native(MmDeviceEnumerator::kId);
    void* object = nullptr;
    const HRESULT code =
        CoCreateInstance(class_id, nullptr, CLSCTX_INPROC_SERVER, interface_id, &object);
    if (FAILED(code)) return code;
    *enumerator = static_cast<MmDeviceEnumerator*>(object);
    return code;
  }

  std::shared_ptr<void> hold_com() override {
    auto hold = std::make_shared<ComHold>();
    return hold->entered() ? hold : nullptr;
  }

  void free_task_memory(void* memory) noexcept override { CoTaskMemFree(memory); }
  void clear(PropertyValue& value) noexcept override {
    PropVariantClear(reinterpret_cast<PROPVARIANT*>(&value));
  }

  EventHandle make_event() override { return CreateEventW(nullptr, FALSE, FALSE, nullptr); }
  void close_event(EventHandle event) noexcept override { CloseHandle(event); }
  void signal(EventHandle event) RT_SAFE override { SetEvent(event); }

  WaitResult wait_any(std::span<const EventHandle> events, Instant deadline) RT_SAFE override {
    if (events.empty() || events.size() > kMaxEvents) return {};
    for (;;) {
      const std::int64_t left = std::max<std::int64_t>((deadline - now()).count(), 0);
      // Rounded up: a wait that ends early would be reported as silence of the device.
      const std::int64_t ms = std::min((left + 999'999) / 1'000'000, kLongestWaitMs);
      const DWORD result = WaitForMultipleObjects(static_cast<DWORD>(events.size()), events.data(),
                                                  FALSE, static_cast<DWORD>(ms));
      if (result < WAIT_OBJECT_0 + events.size()) {
        return {WaitEnd::signalled, result - WAIT_OBJECT_0};
      }
      if (result != WAIT_TIMEOUT) return {};
      if (now() >= deadline) return {WaitEnd::timed_out, 0};
    }
  }

  Instant instant_of(std::uint64_t qpc) const RT_SAFE override {
    // Both count from the same origin; a value that no counter reaches means nothing.
    constexpr std::uint64_t kMost = (std::uint64_t{1} << 62) / 100;
    return {static_cast<std::int64_t>(std::min(qpc, kMost)) * 100};
  }

 private:
  [[nodiscard]] Instant now() const RT_SAFE {
    LARGE_INTEGER counter;
    QueryPerformanceCounter(&counter);
    const std::int64_t rest = counter.QuadPart % frequency_;
    return {counter.QuadPart / frequency_ * kSecond + rest * kSecond / frequency_};
  }

  std::int64_t frequency_ = 1;
  CO_MTA_USAGE_COOKIE apartment_{};
  bool has_apartment_ = false;
};

}  // namespace

std::unique_ptr<System> make_windows_system() { return std::make_unique<WindowsSystem>(); }

}  // namespace asiodrv::devices::wasapi
