#include "devices/wasapi/fake/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "devices/wasapi/fake/endpoint.hpp"
#include "devices/wasapi/fake/enumerator.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

constexpr std::size_t kMostViolations = 100;
constexpr std::size_t kMostEvents = 8;
/// With a clock of somebody else, another thread's signal is seen after this at the latest.
constexpr nanoseconds kSlice = milliseconds{1};

}  // namespace

World::World(WorldOptions options)
    : options_(options),
      clock_(options.clock != nullptr ? options.clock : &own_clock_),
      random_(options.seed) {}

World::~World() = default;

// --- time ----------------------------------------------------------------------------------------

void World::schedule(Instant at, std::function<void()> action) {
  const Lock lock(mutex_);
  due_.emplace(at.ns, std::move(action));
}

void World::pump() {
  if (pumping_) return;
  pumping_ = true;
  while (!due_.empty() && due_.begin()->first <= now().ns) {
    const auto node = due_.extract(due_.begin());
    node.mapped()();
  }
  pumping_ = false;
}

void World::deliver() {
  if (delivering_) return;
  delivering_ = true;
  while (!callbacks_.empty()) {
    const std::function<void()> callback = std::move(callbacks_.front());
    callbacks_.pop_front();
    const Instant before = now();
    {
      const AsThread there = as_thread(kCallbackThread);
      callback();
    }
    if (now() - before > options_.callback_most) {
      violate(fmt::format("N3: a callback took {} us", (now() - before).count() / 1000));
    }
    pump();
  }
  delivering_ = false;
}

bool World::step(Instant deadline) {
  Instant next = deadline;
  {
    const Lock lock(mutex_);
    if (now() >= deadline) return false;
    if (!due_.empty() && due_.begin()->first < next.ns) next = {due_.begin()->first};
    if (clock_ != &own_clock_) next = std::min(next, now() + kSlice);
  }
  clock_->sleep_until(next);
  return true;
}

void World::advance(nanoseconds by) {
  const Instant deadline = now() + by;
  do {
    const Lock lock(mutex_);
    pump();
    deliver();
  } while (step(deadline));
  const Lock lock(mutex_);
  pump();
  deliver();
}

WaitResult World::wait_any(std::span<const EventHandle> events, Instant deadline) RT_SAFE {
  const RtPermit permit;  // bounded by `deadline`
  if (events.empty() || events.size() > kMostEvents) {
    violate(fmt::format("wait_any: {} events; 1 to {} are accepted", events.size(), kMostEvents));
    return {};
  }
  {
    const Lock lock(mutex_);
    if (current_thread() == kCallbackThread) violate("N2: wait_any inside a callback");
  }
  for (;;) {
    {
      const Lock lock(mutex_);
      pump();
      deliver();
      for (std::size_t i = 0; i < events.size(); ++i) {
        Event* event = find_event(events[i], "wait_any");
        if (event == nullptr) return {};
        if (!event->is_signalled) continue;
        event->is_signalled = false;
        return {WaitEnd::signalled, i};
      }
    }
    if (!step(deadline)) return {WaitEnd::timed_out, 0};
  }
}

Instant World::instant_of(std::uint64_t qpc) const RT_SAFE {
  return {static_cast<std::int64_t>(qpc * 100)};
}

std::uint64_t World::qpc_of(Instant at) const { return static_cast<std::uint64_t>(at.ns / 100); }

void World::hang(nanoseconds duration) {
  if (duration.count() <= 0) return;
  if (hung_ != nullptr) {
    *hung_ += duration;
  } else {
    clock_->sleep_until(now() + duration);
  }
}

bool World::run_aside(std::function<void()> action, nanoseconds limit) {
  if (clock_ != &own_clock_) return System::run_aside(std::move(action), limit);
  const Instant before = now();
  nanoseconds hung{0};
  {
    ThreadId number = 0;
    {
      const Lock lock(mutex_);
      number = last_thread_ + 1;
    }
    const AsThread there = as_thread(number);
    const std::shared_ptr<void> com = hold_com();
    nanoseconds* const outer = std::exchange(hung_, &hung);
    action();
    action = nullptr;
    hung_ = outer;
  }
  const nanoseconds left = std::max(limit - (now() - before), nanoseconds{0});
  advance(std::min(hung, left));
  return hung <= left;
}

// --- events --------------------------------------------------------------------------------------

EventHandle World::make_event() {
  const Lock lock(mutex_);
  events_.push_back(std::make_unique<Event>());
  return events_.back().get();
}

World::Event* World::find_event(EventHandle event, const char* call) {
  for (const auto& known : events_) {
    if (known.get() == event && known->is_open) return known.get();
  }
  if (call != nullptr) violate(fmt::format("{}: no such event, or it was closed", call));
  return nullptr;
}

void World::close_event(EventHandle event) noexcept {
  const Lock lock(mutex_);
  if (Event* found = find_event(event, "close_event")) found->is_open = false;
}

void World::signal(EventHandle event) RT_SAFE {
  const RtPermit permit;
  const Lock lock(mutex_);
  if (Event* found = find_event(event, "signal")) found->is_signalled = true;
}

bool World::device_signals(EventHandle event) {
  Event* found = find_event(event, nullptr);
  if (found != nullptr) found->is_signalled = true;
  return found != nullptr;
}

// --- threads and COM -----------------------------------------------------------------------------

ThreadId World::thread_of(std::thread::id id) {
  const auto known = threads_.find(id);
  return known != threads_.end() ? known->second : (threads_[id] = ++last_thread_);
}

ThreadId World::current_thread() {
  const Lock lock(mutex_);
  const std::thread::id id = std::this_thread::get_id();
  const std::vector<ThreadId>& played = played_[id];
  return played.empty() ? thread_of(id) : played.back();
}

World::AsThread World::as_thread(ThreadId id) {
  const Lock lock(mutex_);
  last_thread_ = std::max(last_thread_, id);
  played_[std::this_thread::get_id()].push_back(id);
  return {*this, std::this_thread::get_id()};
}

void World::pop_thread(std::thread::id id) {
  const Lock lock(mutex_);
  played_[id].pop_back();
}

std::shared_ptr<void> World::hold_com() {
  const Lock lock(mutex_);
  const ThreadId thread = current_thread();
  ++com_holds_[thread];
  return {static_cast<void*>(this), [this, thread](void*) {
            const Lock inner(mutex_);
            if (current_thread() != thread) violate("E1: COM let go on another thread");
            --com_holds_[thread];
            com_left_.notify_all();
            const bool last = std::all_of(com_holds_.begin(), com_holds_.end(),
                                          [](const auto& hold) { return hold.second == 0; });
            for (const auto& object : objects_) {
              if (!last || object->references() == 0 || object->kind() == "enumerator") continue;
              violate(fmt::format("E1: the last thread with COM left while a {} is held",
                                  object->kind()));
            }
          }};
}

bool World::others_have_left(nanoseconds limit) {
  std::unique_lock lock(mutex_);
  const ThreadId own = current_thread();
  return com_left_.wait_for(lock, limit, [this, own] {
    return std::all_of(com_holds_.begin(), com_holds_.end(),
                       [own](const auto& hold) { return hold.first == own || hold.second == 0; });
  });
}

Hr World::make_enumerator(MmDeviceEnumerator** enumerator) {
  const Lock lock(mutex_);
  pump();
  ++calls_["enumerator.make"];
  if (enumerator == nullptr) return kPointer;
  *enumerator = nullptr;
  const ThreadId thread = current_thread();
  if (thread != kCallbackThread && com_holds_[thread] == 0) {
    violate("E1: enumerator.make on a thread without COM");
    return kComNotInitialized;
  }
  for (Injected& injected : injected_) {
    if (injected.call != "enumerator.make" || injected.times == 0) continue;
    --injected.times;
    return injected.code;
  }
  if (enumerator_ == nullptr || enumerator_->references() == 0) {
    enumerator_ = &make<Enumerator>();
  } else {
    enumerator_->hold();
  }
  *enumerator = enumerator_;
  return kOk;
}

// --- memory --------------------------------------------------------------------------------------

std::uint8_t* World::allocate(std::size_t bytes, std::string what) {
  auto memory = std::make_unique<std::uint8_t[]>(bytes);
  std::uint8_t* start = memory.get();
  memory_[start] = {std::move(memory), std::move(what)};
  return start;
}

char16_t* World::allocate_text(const std::u16string& text, std::string what) {
  const std::size_t bytes = (text.size() + 1) * sizeof(char16_t);
  std::uint8_t* memory = allocate(bytes, std::move(what));
  std::memcpy(memory, text.c_str(), bytes);
  return reinterpret_cast<char16_t*>(memory);
}

WaveFormat* World::allocate_format(const WaveFormatExtensible& format, bool is_plain,
                                   std::string what) {
  const std::size_t bytes = is_plain ? sizeof(WaveFormat) : sizeof format;
  std::uint8_t* memory = allocate(bytes, std::move(what));
  std::memcpy(memory, &format, bytes);
  auto* result = reinterpret_cast<WaveFormat*>(memory);
  if (is_plain) {
    result->tag = format.sub_format == kSubFloat ? kTagFloat : kTagPcm;
    result->extra_bytes = 0;
  }
  return result;
}

void World::free_task_memory(void* memory) noexcept {
  const RtPermit permit;
  const Lock lock(mutex_);
  if (memory == nullptr) return;  // allowed, as in Windows
  if (memory_.erase(memory) == 0) violate("E8: memory freed twice, or never allocated");
}

void World::clear(PropertyValue& value) noexcept {
  if (value.type == kVariantText) free_task_memory(value.text);
  if (value.type == kVariantGuid) free_task_memory(value.guid);
  if (value.type == kVariantBlob) free_task_memory(value.blob.bytes);
  value = PropertyValue{};
}

// --- faults and findings -------------------------------------------------------------------------

void World::fail_next(std::string call, Hr code, std::uint32_t times) {
  const Lock lock(mutex_);
  injected_.push_back({std::move(call), code, times});
}

void World::fail_no_more() {
  const Lock lock(mutex_);
  injected_.clear();
}

void World::before_next(std::string call, std::function<void()> action) {
  const Lock lock(mutex_);
  ambushes_.push_back({std::move(call), 0, std::move(action)});
}

void World::before_call_number(std::uint64_t count, std::function<void()> action) {
  const Lock lock(mutex_);
  ambushes_.push_back({{}, all_calls_ + count, std::move(action)});
}

std::uint64_t World::calls(const std::string& name) const {
  const Lock lock(mutex_);
  const auto found = calls_.find(name);
  return found == calls_.end() ? 0 : found->second;
}

void World::violate(std::string text) {
  const Lock lock(mutex_);
  if (violations_.size() >= kMostViolations) {
    ++violations_left_out_;
    return;
  }
  violations_.push_back(fmt::format("{} (thread {}, at {:.3f} ms)", text, current_thread(),
                                    static_cast<double>(now().ns) * 1e-6));
}

std::vector<std::string> World::violations() const {
  const Lock lock(mutex_);
  std::vector<std::string> result = violations_;
  if (violations_left_out_ > 0) {
    result.push_back(fmt::format("and {} more", violations_left_out_));
  }
  return result;
}

void World::forget_violations() {
  const Lock lock(mutex_);
  violations_.clear();
  violations_left_out_ = 0;
}

std::vector<std::string> World::leaks() const {
  const Lock lock(mutex_);
  std::vector<std::string> result;
  for (const auto& object : objects_) {
    if (object->references() == 0) continue;
    result.push_back(
        fmt::format("E2: {} references on a {}", object->references(), object->kind()));
  }
  for (const auto& memory : memory_) result.push_back("E8: memory of " + memory.second.what);
  for (std::size_t i = 0; i < events_.size(); ++i) {
    if (events_[i]->is_open) result.push_back(fmt::format("event {} is open", i));
  }
  if (!listeners_.empty()) result.emplace_back("N1: a registered notification client");
  for (const auto& hold : com_holds_) {
    if (hold.second > 0) result.push_back(fmt::format("COM on thread {}", hold.first));
  }
  return result;
}

}  // namespace asiodrv::devices::wasapi::fake
