// A service in memory: hands out sections on the heap and plays the engine's part in them, one
// cycle at a time, when a test says so. The test's thread is the engine.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/shared_region.hpp"
#include "core/ports/thread.hpp"
#include "core/wire/section.hpp"
#include "ipc/client/service_link.hpp"

namespace asiodrv::asio::testing {

/// The word of a doorbell and the way to sleep on it, shared by both ends.
struct BellCore {
  explicit BellCore(ports::Threads& threads) : changed(threads.make_signal()) {}
  std::atomic<std::uint32_t> count{0};
  std::atomic<bool> interrupted{false};
  std::unique_ptr<ports::Signal> changed;
};

class FakeBell final : public ports::Doorbell {
 public:
  explicit FakeBell(std::shared_ptr<BellCore> core) : core_(std::move(core)) {}
  void ring(std::uint32_t count) RT_SAFE override {
    core_->count.store(count, std::memory_order_seq_cst);
    core_->changed->signal();
  }
  [[nodiscard]] std::uint32_t count() const RT_SAFE override {
    return core_->count.load(std::memory_order_seq_cst);
  }
  std::uint32_t wait_change(std::uint32_t seen, Instant deadline, nanoseconds) RT_SAFE override {
    while (count() == seen && !core_->interrupted.exchange(false)) {
      if (!core_->changed->wait(deadline)) break;
    }
    return count();
  }
  void interrupt() RT_SAFE override {
    core_->interrupted = true;
    core_->changed->signal();
  }

 private:
  std::shared_ptr<BellCore> core_;
};

/// The bytes that both ends of a region see.
struct RegionCore {
  RegionCore(ports::Threads& threads, std::size_t count)
      : bytes(static_cast<std::byte*>(::operator new (count, std::align_val_t{4096}))),
        size(count),
        wake(std::make_shared<BellCore>(threads)),
        ack(std::make_shared<BellCore>(threads)) {
    std::memset(bytes, 0, size);
  }
  ~RegionCore() { ::operator delete (bytes, std::align_val_t{4096}); }
  RegionCore(const RegionCore&) = delete;
  RegionCore& operator=(const RegionCore&) = delete;

  [[nodiscard]] std::span<std::byte> span() const noexcept { return {bytes, size}; }
  std::byte* bytes;
  std::size_t size;
  std::shared_ptr<BellCore> wake, ack;
};

class FakeRegion final : public ports::SharedRegion {
 public:
  FakeRegion(std::shared_ptr<RegionCore> core, std::string token)
      : core_(std::move(core)), token_(std::move(token)) {}
  [[nodiscard]] std::span<std::byte> bytes() const noexcept override { return core_->span(); }
  [[nodiscard]] const std::string& token() const noexcept override { return token_; }
  [[nodiscard]] Result<std::unique_ptr<ports::Doorbell>> doorbell(std::size_t offset,
                                                                  const char*) override {
    return std::make_unique<FakeBell>(offset == wire::kWakeOffset ? core_->wake : core_->ack);
  }

 private:
  std::shared_ptr<RegionCore> core_;
  std::string token_;
};

/// One session as the engine sees it.
struct FakeSession {
  std::shared_ptr<RegionCore> region;
  wire::SectionLayout layout;
  std::uint32_t rung = 0;
  std::uint64_t position = 0;
  std::uint32_t half = 0;  ///< of the cycle rung last
  bool started = false;

  [[nodiscard]] wire::CycleReply reply() const { return wire::read_reply(region->span()); }
  [[nodiscard]] bool acknowledged() const { return region->ack->count == rung; }
  [[nodiscard]] float* input(std::uint32_t channel, std::uint32_t at_half) const {
    return reinterpret_cast<float*>(region->bytes + layout.input_offset(channel, at_half));
  }
  [[nodiscard]] float* output(std::uint32_t channel, std::uint32_t at_half) const {
    return reinterpret_cast<float*>(region->bytes + layout.output_offset(channel, at_half));
  }
};

/// What links and regions share. The description and the failures may be changed between calls.
class FakeService : public ports::SharedRegions {
 public:
  explicit FakeService(ports::Threads& threads, ports::Clock& clock)
      : threads_(threads), clock_(clock) {
    description.device_name = "Fake";
    description.input_names = {"In 1", "In 2"};
    description.output_names = {"Out 1", "Out 2"};
    description.rates = {{44'100}, {48'000}, {96'000}};
    description.rate = {48'000};
    description.buffer_sizes.assign(3, {{32}, {2048}, {64}, {}});
    description.clock_sources = {{"Internal", true}};
    description.device_input_latency = {5};
    description.device_output_latency = {7};
  }

  // --- the test's side ---------------------------------------------------------------------------

  wire::DriverDescription description;
  std::map<std::string, Error> failures;  ///< by method; every call fails while it is there
  std::uint32_t region_deficit = 0;       ///< the header lies about this many output channels
  bool create_throws = false;
  bool start_throws = false;
  bool end_throws = false;             ///< stop and dispose
  nanoseconds connect_takes{0};        ///< real time; broken off by disconnect()
  bool hold_connects = false;          ///< until somebody breaks them off, before they begin
  std::function<void()> on_connect{};  ///< with the answer in hand; set before init
  nanoseconds mixer_takes{0};          ///< each monitor and gain, by the clock

  /// The service dies: links break, nobody rings.
  void die() {
    const std::lock_guard lock(mutex_);
    alive_ = false;
    ++breaks_;
    if (session_) session_->started = false;
    changed_.notify_all();
  }
  void revive() {
    const std::lock_guard lock(mutex_);
    alive_ = true;
    changed_.notify_all();
  }
  void send(const wire::HostEvent& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  /// Waits until the notifier has taken the events, for a short time: it may be busy otherwise.
  bool await_taken() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{2}, [&] { return events_.empty(); });
  }
  [[nodiscard]] std::shared_ptr<FakeSession> session() {
    const std::lock_guard lock(mutex_);
    return session_;
  }
  [[nodiscard]] std::vector<std::string> log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }
  [[nodiscard]] int calls(const std::string& method) {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::count(log_.begin(), log_.end(), method));
  }
  /// Waits until `method` has been called `count` times in all.
  bool await_calls(const std::string& method, int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{20},
                             [&] { return std::count(log_.begin(), log_.end(), method) >= count; });
  }

  /// One cycle as the engine begins it: input `value` in every channel, then the ring.
  void ring(float value = 0.0F, std::uint32_t flags = 0) {
    const auto session = this->session();
    const wire::CycleReply reply = session->reply();
    const bool free_running =
        reply.mode == static_cast<std::uint32_t>(wire::ReplyMode::free_running);
    if (free_running) flags |= wire::kStampResync;
    if ((flags & wire::kStampResync) == 0) {
      session->half = reply.next_half & 1U;
      for (std::uint32_t c = 0; c < session->layout.inputs; ++c) {
        std::fill_n(session->input(c, session->half), session->layout.frames.count, value);
      }
    }
    wire::CycleStamp stamp{};
    stamp.sample_position = session->position;
    stamp.boundary_ns = clock_.now().ns;
    stamp.half = session->half;
    stamp.flags = flags;
    stamp.rate_hz = static_cast<double>(description.rate.hz);
    ring_stamp(stamp);
    session->position += session->layout.frames.count;
  }
  void ring_stamp(const wire::CycleStamp& stamp) {
    const auto session = this->session();
    wire::write_stamp(session->region->span(), stamp);
    FakeBell(session->region->wake).ring(++session->rung);
  }
  /// Waits for the client's answer to the last ring.
  bool await_ack() {
    const auto session = this->session();
    FakeBell ack(session->region->ack);
    const Instant deadline = clock_.now() + std::chrono::seconds{20};
    std::uint32_t seen = ack.count();
    while (seen != session->rung && clock_.now() < deadline) {
      seen = ack.wait_change(seen, deadline, {});
    }
    return seen == session->rung;
  }

  // --- SharedRegions -----------------------------------------------------------------------------

  [[nodiscard]] Result<std::unique_ptr<ports::SharedRegion>> create(std::size_t) override {
    return fail(ErrorCode::unsupported, "The fake makes regions with sessions only.");
  }
  [[nodiscard]] Result<std::unique_ptr<ports::SharedRegion>> open(const std::string& token,
                                                                  std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    const auto found = regions_.find(token);
    if (found == regions_.end()) return fail(ErrorCode::not_found, "No such region.");
    if (found->second->size < bytes) {
      return fail(ErrorCode::invalid_argument, "The region is smaller than promised.");
    }
    return std::make_unique<FakeRegion>(found->second, token);
  }

  [[nodiscard]] std::unique_ptr<ipc::ServiceLink> make_link();

 private:
  friend class FakeLink;

  ports::Threads& threads_;
  ports::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool alive_ = true;
  int breaks_ = 0;
  std::vector<std::string> log_;
  std::deque<wire::HostEvent> events_;
  std::map<std::string, std::shared_ptr<RegionCore>> regions_;
  std::shared_ptr<FakeSession> session_;
  std::uint32_t next_id_ = 1;
};

class FakeLink final : public ipc::ServiceLink {
 public:
  explicit FakeLink(FakeService& service) : service_(service) {}

  void prepare_connect() noexcept override {
    std::unique_lock lock(service_.mutex_);
    cancelled_ = false;
    prepared_ = true;
    if (!service_.hold_connects) return;
    note("held");
    (void)service_.changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return cancelled_; });
  }
  [[nodiscard]] Result<wire::DriverDescription> connect(bool, Instant) override {
    std::unique_lock lock(service_.mutex_);
    if (!std::exchange(prepared_, false)) cancelled_ = false;
    note("connect");
    if (service_.connect_takes.count() > 0) {
      service_.changed_.wait_for(lock, service_.connect_takes, [&] { return cancelled_; });
      if (cancelled_) {
        note("broken off");
        return fail(ErrorCode::disconnected, "Broken off.");
      }
    }
    if (auto failed = failure("connect")) return tl::unexpected<Error>(*failed);
    if (!service_.alive_) {
      return fail(ErrorCode::service_absent, "The asio-driver service is not running.");
    }
    connected_ = true;
    breaks_ = service_.breaks_;
    wire::DriverDescription answer = service_.description;
    lock.unlock();
    if (service_.on_connect) service_.on_connect();
    return answer;
  }
  [[nodiscard]] Result<wire::SessionGrant> create_session(const wire::SessionRequest& request,
                                                          Instant) override {
    const std::lock_guard lock(service_.mutex_);
    note("create");
    if (service_.create_throws) throw std::bad_alloc();
    if (auto refused = check("create")) return tl::unexpected<Error>(*refused);
    const wire::DriverDescription& driver = service_.description;
    auto session = std::make_shared<FakeSession>();
    session->layout = {driver.sample_type, request.frames,
                       static_cast<std::uint32_t>(request.inputs.size()),
                       static_cast<std::uint32_t>(request.outputs.size())};
    session->region =
        std::make_shared<RegionCore>(service_.threads_, session->layout.total_bytes());
    wire::SectionLayout told = session->layout;
    told.outputs -= std::min(told.outputs, service_.region_deficit);
    wire::write_header(session->region->span(), told);
    const std::uint32_t id = service_.next_id_++;
    const std::string token = "region " + std::to_string(id);
    service_.regions_ = {{token, session->region}};
    service_.session_ = session;
    return wire::SessionGrant{
        .session_id = id,
        .region_token = token,
        .region_bytes = static_cast<std::uint32_t>(session->region->size),
        .rate = driver.rate,
        .input_latency = {request.frames.count + driver.device_input_latency.count},
        .output_latency = {request.frames.count + driver.device_output_latency.count},
        .deferred = false};
  }
  [[nodiscard]] Result<> start_session(Instant) override {
    const std::lock_guard lock(service_.mutex_);
    note("start");
    if (service_.start_throws) throw std::bad_alloc();
    if (auto refused = check("start")) return tl::unexpected<Error>(*refused);
    service_.session_->started = true;
    service_.session_->position = 0;
    return {};
  }
  [[nodiscard]] Result<> stop_session(Instant) override {
    const std::lock_guard lock(service_.mutex_);
    note("stop");
    if (service_.end_throws) throw std::bad_alloc();
    if (auto refused = check("stop")) return tl::unexpected<Error>(*refused);
    service_.session_->started = false;
    return {};
  }
  [[nodiscard]] Result<> dispose_session(Instant) override {
    const std::lock_guard lock(service_.mutex_);
    note("dispose");
    if (service_.end_throws) throw std::bad_alloc();
    if (auto refused = check("dispose")) return tl::unexpected<Error>(*refused);
    service_.session_->started = false;
    return {};
  }
  [[nodiscard]] Result<> set_rate(SampleRate rate, Instant) override {
    const std::lock_guard lock(service_.mutex_);
    note("rate " + std::to_string(rate.hz));
    if (auto refused = check("rate")) return tl::unexpected<Error>(*refused);
    service_.description.rate = rate;
    return {};
  }
  [[nodiscard]] Result<> select_clock(std::uint32_t index, Instant) override {
    const std::lock_guard lock(service_.mutex_);
    note("clock " + std::to_string(index));
    if (auto refused = check("clock")) return tl::unexpected<Error>(*refused);
    std::uint32_t at = 0;
    for (auto& source : service_.description.clock_sources) source.current = at++ == index;
    return {};
  }
  [[nodiscard]] Result<> set_monitor(const wire::MonitorRequest& request,
                                     Instant deadline) override {
    const std::lock_guard lock(service_.mutex_);
    note("monitor " + (request.input ? std::to_string(*request.input) : "all") + " to " +
         std::to_string(request.output) + (request.on ? " on" : " off"));
    if (auto refused = check("monitor")) return tl::unexpected<Error>(*refused);
    return mixed_by(deadline);
  }
  [[nodiscard]] Result<> set_gain(const wire::GainRequest& request, Instant deadline) override {
    const std::lock_guard lock(service_.mutex_);
    note((request.input ? "input gain " : "output gain ") + std::to_string(request.channel));
    if (auto refused = check("gain")) return tl::unexpected<Error>(*refused);
    return mixed_by(deadline);
  }
  [[nodiscard]] Result<wire::ChannelLevels> levels(Instant) override {
    const std::lock_guard lock(service_.mutex_);
    note("levels");
    if (auto refused = check("levels")) return tl::unexpected<Error>(*refused);
    return wire::ChannelLevels{{wire::kLevelMax, 7}, {0, 9}};
  }
  void disconnect() noexcept override {
    const std::lock_guard lock(service_.mutex_);
    if (connected_) service_.log_.push_back("disconnect");
    connected_ = false;
    cancelled_ = true;
    service_.changed_.notify_all();
  }
  [[nodiscard]] Result<wire::HostEvent> next_event(Instant deadline) override {
    std::unique_lock lock(service_.mutex_);
    for (;;) {
      if (!online()) return fail(ErrorCode::disconnected, "The service is gone.");
      if (!service_.events_.empty()) {
        const wire::HostEvent event = service_.events_.front();
        service_.events_.pop_front();
        service_.changed_.notify_all();
        return event;
      }
      if (std::exchange(woken_, false)) break;
      const Instant now = service_.clock_.now();
      if (now >= deadline) break;
      service_.changed_.wait_for(lock, deadline - now);
    }
    return fail(ErrorCode::timed_out, "Nothing happened.");
  }
  void wake_events() noexcept override {
    const std::lock_guard lock(service_.mutex_);
    woken_ = true;
    service_.changed_.notify_all();
  }

 private:
  void note(const std::string& method) {
    service_.log_.push_back(method);
    service_.changed_.notify_all();
  }
  [[nodiscard]] Result<> mixed_by(Instant deadline) {
    if (service_.mixer_takes.count() == 0) return {};
    const Instant done = service_.clock_.now() + service_.mixer_takes;
    service_.clock_.sleep_until(std::min(done, deadline));
    if (done <= deadline) return {};
    return fail(ErrorCode::timed_out, "No answer in time.");
  }
  [[nodiscard]] bool online() const {
    return connected_ && service_.alive_ && breaks_ == service_.breaks_;
  }
  [[nodiscard]] const Error* failure(const std::string& method) const {
    const auto found = service_.failures.find(method);
    return found == service_.failures.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const Error* check(const std::string& method) const {
    static const Error gone{ErrorCode::disconnected, "The service is gone."};
    return online() ? failure(method) : &gone;
  }

  FakeService& service_;
  bool connected_ = false;
  bool cancelled_ = false;
  bool prepared_ = false;
  bool woken_ = false;
  int breaks_ = 0;
};

inline std::unique_ptr<ipc::ServiceLink> FakeService::make_link() {
  return std::make_unique<FakeLink>(*this);
}

}  // namespace asiodrv::asio::testing
