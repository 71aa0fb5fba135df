// A Windows audio system made of arithmetic: endpoints, the interfaces that programs reach them by,
// and the rules that Windows enforces, in a time that moves only when it is told to.
//
// A program under test gets `World` as its System. What it does wrong without being told by a code
// (use after release, a leak, a wait inside a callback) is written down as a violation; a test ends
// with EXPECT_EQ(world.violations(), none) and EXPECT_EQ(world.leaks(), none).
//
// Time: wait_any and advance() move the clock to the next thing that is due, one after another.
// Callbacks are delivered there, and nowhere else, under the world's lock and on a thread of their
// own (kCallbackThread). With a clock of one's own (World::Options) time passes by itself.
//
// Threads: any, one call at a time. as_thread() makes one real thread play several.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/prng.hpp"
#include "core/ports/virtual_clock.hpp"
#include "devices/wasapi/fake/knobs.hpp"
#include "devices/wasapi/system.hpp"

namespace asiodrv::devices::wasapi::fake {

class Endpoint;
class Enumerator;
class Object;

using ThreadId = std::uint32_t;
inline constexpr ThreadId kCallbackThread = 0;  ///< others: from 1 on, by first appearance

struct WorldOptions {
  std::uint64_t seed = 1;
  ports::Clock* clock = nullptr;  ///< null: a virtual one, from 1000 s on
  bool notifications = true;      ///< false: none is ever delivered (Wine)
  Hr unknown_id = kNotFound;      ///< of device(), for an id in the right form (Wine: invalid)
  nanoseconds callback_most = milliseconds{10};
};

class World final : public System {
 public:
  explicit World(WorldOptions options = {});
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- System ------------------------------------------------------------------------------------
  Hr make_enumerator(MmDeviceEnumerator** enumerator) override;
  [[nodiscard]] std::shared_ptr<void> hold_com() override;
  void free_task_memory(void* memory) noexcept override;
  void clear(PropertyValue& value) noexcept override;
  [[nodiscard]] EventHandle make_event() override;
  void close_event(EventHandle event) noexcept override;
  void signal(EventHandle event) RT_SAFE override;
  WaitResult wait_any(std::span<const EventHandle> events, Instant deadline) RT_SAFE override;
  [[nodiscard]] Instant instant_of(std::uint64_t qpc) const RT_SAFE override;
  /// In virtual time `action` is done at once, by a thread number of its own; what hangs in it
  /// (hang) passes afterwards, and what was left alone is over nevertheless.
  [[nodiscard]] bool run_aside(std::function<void()> action, nanoseconds limit) override;

  // --- the machine, for tests --------------------------------------------------------------------
  [[nodiscard]] ports::Clock& clock() noexcept { return *clock_; }
  [[nodiscard]] Instant now() const noexcept { return clock_->now(); }
  /// Lets `by` pass and everything happen that is due meanwhile.
  void advance(nanoseconds by);
  /// `action` happens when time reaches `at`; it may do anything that a test may.
  void schedule(Instant at, std::function<void()> action);

  /// Plugged in from now on, and announced. Lives as long as the world.
  Endpoint& add_endpoint(EndpointSpec spec);
  /// Forgotten: its streams are lost, its id is unknown.
  void remove(Endpoint& endpoint);
  [[nodiscard]] const std::vector<std::unique_ptr<Endpoint>>& endpoints() const;
  /// Null: no device is left. Announced by one to three calls in any order.
  void set_default(Flow flow, Endpoint* endpoint);
  [[nodiscard]] Endpoint* default_endpoint(Flow flow) const;
  /// The audio service ends: every stream is lost, nothing can be activated, nobody is told.
  void service_down(LossCode code = LossCode::service);
  void service_up() { service_is_up_ = true; }
  [[nodiscard]] bool service_is_up() const { return service_is_up_; }
  /// 200 property callbacks within 50 ms, as after sleep.
  void resume_storm();

  // --- faults ------------------------------------------------------------------------------------
  /// The next `times` calls of that name ("client.initialize", "render.buffer", ...) do nothing and
  /// return `code`.
  void fail_next(std::string call, Hr code, std::uint32_t times = 1);
  /// Takes back every fail_next.
  void fail_no_more();
  /// Just before the next call of that name, or the `count`-th call of any kind from now on.
  void before_next(std::string call, std::function<void()> action);
  void before_call_number(std::uint64_t count, std::function<void()> action);

  /// Called before each release of an object of some kind ("client", ...), outside of the world's
  /// lock: may block for as long as a driver does. Set it while nothing runs.
  std::function<void(const std::string& kind)> on_release;

  // --- the program under test --------------------------------------------------------------------
  class AsThread;
  /// Until the returned value ends, the calling thread plays thread `id`.
  [[nodiscard]] AsThread as_thread(ThreadId id);
  [[nodiscard]] ThreadId current_thread();
  /// Real time: waits until no other thread holds COM; false after `limit`.
  [[nodiscard]] bool others_have_left(nanoseconds limit);
  /// How often a call of that name was made.
  [[nodiscard]] std::uint64_t calls(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> violations() const;
  void forget_violations();
  /// What is still held: interfaces, memory, events, registrations. Empty after a clean end.
  [[nodiscard]] std::vector<std::string> leaks() const;

  // --- for the parts of the fake -----------------------------------------------------------------
  template <class Made, class... Arguments>
  Made& make(Arguments&&... arguments) {
    auto owned = std::make_unique<Made>(*this, std::forward<Arguments>(arguments)...);
    Made& made = *owned;
    objects_.push_back(std::move(owned));  // kept for ever: use after release must be noticed
    return made;
  }
  void violate(std::string text);
  [[nodiscard]] Prng& random() { return random_; }
  [[nodiscard]] const WorldOptions& options() const { return options_; }
  [[nodiscard]] std::uint64_t qpc_of(Instant at) const;
  [[nodiscard]] std::uint8_t* allocate(std::size_t bytes, std::string what);
  [[nodiscard]] char16_t* allocate_text(const std::u16string& text, std::string what);
  [[nodiscard]] WaveFormat* allocate_format(const WaveFormatExtensible& format, bool is_plain,
                                            std::string what);
  /// A call that takes its time.
  void hang(nanoseconds duration);
  /// What a device does when it has something to tell; false when the event was closed.
  bool device_signals(EventHandle event);
  /// Runs `callback` on the callback thread, soon.
  void call_back(std::function<void()> callback);
  /// Tells every registered client, soon.
  void notify(std::function<void(NotificationClient&)> call);
  [[nodiscard]] Endpoint* find(std::u16string_view id) const;
  /// The default moves away from an endpoint that left, or to the only one that came.
  void choose_default(Flow flow);
  [[nodiscard]] std::vector<NotificationClient*>& listeners() { return listeners_; }

 private:
  friend class Call;
  friend class Object;

  void pump();
  void deliver();
  bool step(Instant deadline);  // moves time once; false when it has reached `deadline`
  [[nodiscard]] ThreadId thread_of(std::thread::id id);
  void pop_thread(std::thread::id id);

  const WorldOptions options_;
  ports::VirtualClock own_clock_{Instant{1'000'000'000'000}};
  ports::Clock* const clock_;
  Prng random_;
  mutable std::recursive_mutex mutex_;

  std::multimap<std::int64_t, std::function<void()>> due_;  // by nanoseconds
  nanoseconds* hung_ = nullptr;                             // within run_aside: what hangs in it
  bool pumping_ = false;
  std::deque<std::function<void()>> callbacks_;
  bool delivering_ = false;

  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  Endpoint* defaults_[2] = {};
  bool service_is_up_ = true;
  Enumerator* enumerator_ = nullptr;
  std::vector<NotificationClient*> listeners_;

  struct Injected {
    std::string call;
    Hr code;
    std::uint32_t times;
  };
  struct Ambush {
    std::string call;  // or empty, with the number of a call
    std::uint64_t number = 0;
    std::function<void()> action;
  };
  std::vector<Injected> injected_;
  std::vector<Ambush> ambushes_;
  std::map<std::string, std::uint64_t> calls_;
  std::uint64_t all_calls_ = 0;

  std::map<std::thread::id, ThreadId> threads_;
  std::map<std::thread::id, std::vector<ThreadId>> played_;
  ThreadId last_thread_ = 0;
  std::condition_variable_any com_left_;
  std::map<ThreadId, std::uint32_t> com_holds_;

  struct Memory {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::string what;
  };
  std::map<void*, Memory> memory_;
  struct Event {
    bool is_signalled = false, is_open = true;
  };
  std::vector<std::unique_ptr<Event>> events_;
  Event* find_event(EventHandle event, const char* call);

  std::vector<std::unique_ptr<Object>> objects_;
  std::vector<std::string> violations_;
  std::uint32_t violations_left_out_ = 0;
};

class World::AsThread {
 public:
  AsThread(World& world, std::thread::id id) : world_(&world), id_(id) {}
  AsThread(const AsThread&) = delete;
  AsThread& operator=(const AsThread&) = delete;
  ~AsThread() { world_->pop_thread(id_); }

 private:
  World* world_;
  std::thread::id id_;
};

}  // namespace asiodrv::devices::wasapi::fake
