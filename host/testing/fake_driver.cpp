#include "host/testing/fake_driver.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <utility>

#include "host/samples.hpp"
#include "host/testing/fake_stream.hpp"
#include "platform/platform.hpp"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // the interface must not have one
#endif

namespace asiodrv::host {
namespace {

using namespace asio;

constexpr double kRates[] = {44100, 48000, 96000};
constexpr std::int32_t kMinFrames = 16, kMaxFrames = 4096, kPreferredFrames = 64;
constexpr nanoseconds kStopLimit = std::chrono::seconds{1};
constexpr Guid kUnknown{0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
constexpr auto kNoInterface = static_cast<std::int32_t>(0x80004002);
constexpr auto kNullPointer = static_cast<std::int32_t>(0x80004003);

enum class State { loaded, initialized, prepared, running, stopping };

class FakeDriver final : public AsioDriver {
 public:
  FakeDriver(const FakeOptions& options, ports::Clock& clock, ports::Threads& threads)
      : options_(options), clock_(clock), threads_(threads) {}

  std::int32_t ASIO_COM_METHOD QueryInterface(const Guid* iid, void** object) override {
    if (object == nullptr) return kNullPointer;
    *object = nullptr;
    if (iid == nullptr) return kNullPointer;
    if (*iid != kUnknown && *iid != kFakeDriverId) return kNoInterface;
    AddRef();
    *object = static_cast<AsioDriver*>(this);
    return 0;
  }
  std::uint32_t ASIO_COM_METHOD AddRef() override { return ++references_; }
  std::uint32_t ASIO_COM_METHOD Release() override {
    const std::uint32_t left = --references_;
    if (left == 0) {
      halt();
      delete this;
    }
    return left;
  }

  std::int32_t ASIO_METHOD init(void*) override {
    if (state_ != State::loaded) {
      message_ = "init was called twice";
      return 0;
    }
    state_ = State::initialized;
    return 1;
  }
  void ASIO_METHOD getDriverName(char* name) override {
    if (name != nullptr) std::snprintf(name, kNameBytes, "%s", "asio-fake");
  }
  std::int32_t ASIO_METHOD getDriverVersion() override { return 1; }
  void ASIO_METHOD getErrorMessage(char* message) override {
    if (message != nullptr) std::snprintf(message, kErrorMessageBytes, "%s", message_);
  }

  std::int32_t ASIO_METHOD start() override;
  std::int32_t ASIO_METHOD stop() override;
  std::int32_t ASIO_METHOD createBuffers(BufferInfo* infos, std::int32_t count, std::int32_t frames,
                                         Callbacks* callbacks) override;
  std::int32_t ASIO_METHOD disposeBuffers() override;

  std::int32_t ASIO_METHOD getChannels(std::int32_t* inputs, std::int32_t* outputs) override {
    if (options_.crash_on_null == 0 && (inputs == nullptr || outputs == nullptr)) {
      return no_pointer();
    }
    *inputs = *outputs = 0;
    if (state_ == State::loaded) return kInvalidMode;
    *inputs = options_.inputs;
    *outputs = options_.outputs;
    return kOk;
  }
  std::int32_t ASIO_METHOD getLatencies(std::int32_t* input, std::int32_t* output) override {
    if (input == nullptr || output == nullptr) return no_pointer();
    *input = *output = 0;
    if (state_ == State::loaded) return kInvalidMode;
    *input = *output = buffers_ ? buffers_->frames() : kPreferredFrames;
    return kOk;
  }
  std::int32_t ASIO_METHOD getBufferSize(std::int32_t* minimum, std::int32_t* maximum,
                                         std::int32_t* preferred,
                                         std::int32_t* granularity) override {
    if (minimum == nullptr || maximum == nullptr || preferred == nullptr ||
        granularity == nullptr) {
      return no_pointer();
    }
    *minimum = *maximum = *preferred = *granularity = 0;
    if (state_ == State::loaded) return kInvalidMode;
    *minimum = kMinFrames;
    *maximum = kMaxFrames;
    *preferred = kPreferredFrames;
    *granularity = -1;
    return kOk;
  }
  std::int32_t ASIO_METHOD canSampleRate(double rate) override {
    if (state_ == State::loaded) return kInvalidMode;
    return std::find(std::begin(kRates), std::end(kRates), rate) != std::end(kRates) ? kOk
                                                                                     : kNoClock;
  }
  std::int32_t ASIO_METHOD getSampleRate(double* rate) override {
    if (rate == nullptr) return no_pointer();
    *rate = 0;
    if (state_ == State::loaded) return kInvalidMode;
    *rate = rate_;
    return kOk;
  }
  std::int32_t ASIO_METHOD setSampleRate(double rate) override {
    const std::int32_t possible = canSampleRate(rate);
    if (possible != kOk) return possible;
    if (state_ == State::running && rate != rate_) return kInvalidMode;
    rate_ = rate;
    return kOk;
  }
  std::int32_t ASIO_METHOD getClockSources(ClockSource* sources, std::int32_t* count) override {
    if (count == nullptr) return no_pointer();
    const std::int32_t capacity = std::exchange(*count, 0);
    if (state_ == State::loaded) return kInvalidMode;
    if (sources == nullptr || capacity < 0) return no_pointer();
    if (capacity > 0) {
      sources[0] = {0, -1, -1, 1, "Internal"};
      *count = 1;
    }
    return kOk;
  }
  std::int32_t ASIO_METHOD setClockSource(std::int32_t index) override {
    if (state_ == State::loaded) return kInvalidMode;
    return index == 0 ? kOk : kInvalidParameter;
  }
  std::int32_t ASIO_METHOD getSamplePosition(U64Pair* position, U64Pair* time) override {
    if (position == nullptr || time == nullptr) return no_pointer();
    *position = *time = {};
    if (state_ == State::loaded) return kInvalidMode;
    const State state = state_;
    if (state != State::running && state != State::stopping) return kPositionNotAdvancing;
    *position = split64(static_cast<std::uint64_t>(run_->position.load()));
    *time = split64(run_->time_ns.load());
    return kOk;
  }
  std::int32_t ASIO_METHOD getChannelInfo(ChannelInfo* info) override {
    if (info == nullptr) return no_pointer();
    const ChannelInfo asked = *info;
    *info = {asked.channel, asked.is_input, 0, 0, 0, {}};
    if (state_ == State::loaded) return kInvalidMode;
    if (!has_channel(asked.is_input != 0, asked.channel)) return kInvalidParameter;
    info->is_active = buffers_ && buffers_->active(asked.is_input != 0, asked.channel) ? 1 : 0;
    info->type = options_.type;
    std::snprintf(info->name, kNameBytes, "%s %d", asked.is_input != 0 ? "In" : "Out",
                  asked.channel + 1);
    return kOk;
  }

  std::int32_t ASIO_METHOD controlPanel() override { return kNotPresent; }
  std::int32_t ASIO_METHOD future(std::int32_t selector, void*) override {
    if (selector == kCanTimeInfo && options_.time_info != 0) return kFutureSuccess;
    return kInvalidParameter;
  }
  std::int32_t ASIO_METHOD outputReady() override { return kOk; }

 private:
  std::int32_t no_pointer() noexcept {
    message_ = "a pointer is null";
    return kInvalidParameter;
  }
  [[nodiscard]] bool has_channel(bool is_input, std::int32_t channel) const noexcept {
    if (options_.any_channel != 0) return true;
    return channel >= 0 && channel < (is_input ? options_.inputs : options_.outputs);
  }
  [[nodiscard]] bool legal_set(const BufferInfo* infos, std::int32_t count) const noexcept;
  void halt();

  FakeOptions options_;
  ports::Clock& clock_;
  ports::Threads& threads_;
  std::atomic<std::uint32_t> references_{1};
  std::atomic<State> state_{State::loaded};  // callbacks ask too
  double rate_ = 48000;
  const char* message_ = "";
  Callbacks callbacks_{};
  const Callbacks* borrowed_ = nullptr;
  bool use_time_info_ = false;
  std::shared_ptr<FakeBuffers> buffers_;
  std::shared_ptr<FakeRun> run_;
  std::unique_ptr<ports::Thread> thread_;
};

bool FakeDriver::legal_set(const BufferInfo* infos, std::int32_t count) const noexcept {
  for (std::int32_t i = 0; i < count; ++i) {
    if (!has_channel(infos[i].is_input != 0, infos[i].channel)) return false;
    for (std::int32_t j = 0; j < i; ++j) {
      const bool same_side = (infos[i].is_input != 0) == (infos[j].is_input != 0);
      if (same_side && infos[i].channel == infos[j].channel) return false;
    }
  }
  return true;
}

std::int32_t ASIO_METHOD FakeDriver::createBuffers(BufferInfo* infos, std::int32_t count,
                                                   std::int32_t frames, Callbacks* callbacks) {
  if (state_ != State::initialized) return kInvalidMode;
  if (infos == nullptr || callbacks == nullptr || callbacks->buffer_switch == nullptr) {
    return no_pointer();
  }
  if (count <= 0 || frames <= 0 || !legal_set(infos, count)) return kInvalidParameter;
  if (frames < kMinFrames || frames > kMaxFrames || (frames & (frames - 1)) != 0) {
    return kInvalidMode;
  }
  buffers_ = std::make_shared<FakeBuffers>(options_, infos, count, frames);
  callbacks_ = *callbacks;
  borrowed_ = options_.keep_callbacks != 0 ? callbacks : nullptr;
  use_time_info_ = options_.time_info != 0 && callbacks_.message != nullptr &&
                   callbacks_.buffer_switch_time_info != nullptr &&
                   callbacks_.message(kSupportsTimeInfo, 0, nullptr, nullptr) == 1;
  state_ = State::prepared;
  return kOk;
}

std::int32_t ASIO_METHOD FakeDriver::start() {
  if (state_ != State::prepared) return kInvalidMode;
  run_ = std::make_shared<FakeRun>();
  run_->buffers = buffers_;
  run_->callbacks = callbacks_;
  run_->borrowed = borrowed_;
  run_->use_time_info = use_time_info_;
  run_->rate = rate_;
  run_->options = options_;
  run_->clock = &clock_;
  run_->epoch_ns =
      platform::host_epoch_ms() * 1'000'000 - static_cast<std::uint64_t>(clock_.now().ns);
  state_ = State::running;  // before the first callback, which may ask for it
  auto thread =
      threads_.start("fake-driver", ports::ThreadRole::audio, [run = run_] { run->run(); });
  if (!thread) {
    state_ = State::prepared;
    return kHardwareMalfunction;
  }
  thread_ = std::move(*thread);
  return kOk;
}

void FakeDriver::halt() {
  if (run_) run_->stopping.store(true, std::memory_order_release);
  if (thread_) {
    const nanoseconds limit = options_.hang_in_stop != 0 ? std::chrono::hours{1} : kStopLimit;
    thread_->join(clock_.now() + limit);  // gives up at once when we are on that thread
  }
  thread_.reset();  // a callback that is still running keeps its FakeRun, and so its buffers
  run_.reset();
}

std::int32_t ASIO_METHOD FakeDriver::stop() {
  if (state_ == State::prepared && options_.wrong_state == 0) return kOk;
  State expected = State::running;
  // A callback that is under way may go on asking until it is over.
  if (!state_.compare_exchange_strong(expected, State::stopping)) return kInvalidMode;
  halt();
  expected = State::stopping;
  state_.compare_exchange_strong(expected, State::prepared);
  return kOk;
}

std::int32_t ASIO_METHOD FakeDriver::disposeBuffers() {
  const State state = state_;
  if (state == State::loaded || state == State::initialized) return kInvalidMode;
  state_ = State::initialized;
  halt();
  buffers_.reset();
  return kOk;
}

}  // namespace

asio::AsioDriver* make_fake_driver(const FakeOptions& options, ports::Clock& clock,
                                   ports::Threads& threads) {
  return new FakeDriver(options, clock, threads);
}

}  // namespace asiodrv::host
