#include "asio/driver_shell.hpp"

#include <atomic>
#include <new>
#include <utility>

#include "asio/float_guard.hpp"

namespace asiodrv::asio {
namespace {

constinit std::atomic<std::int32_t> live{0};

class DriverShell final : public AsioDriver {
 public:
  explicit DriverShell(std::shared_ptr<AsioFront> front) noexcept : front_(std::move(front)) {
    live.fetch_add(1);
  }

  std::int32_t ASIO_COM_METHOD QueryInterface(const Guid* iid, void** object) override {
    if (object == nullptr) return kComNullPointer;
    *object = nullptr;
    if (iid == nullptr) return kComNullPointer;
    if (!(*iid == kUnknownId) && !(*iid == kDriverId)) return kComNoInterface;
    AddRef();
    *object = static_cast<AsioDriver*>(this);  // hosts cast blindly
    return kComOk;
  }
  std::uint32_t ASIO_COM_METHOD AddRef() override { return refs_.fetch_add(1) + 1; }
  std::uint32_t ASIO_COM_METHOD Release() override {
    const std::uint32_t left = refs_.fetch_sub(1) - 1;
    if (left == 0) end();
    return left;
  }

  std::int32_t ASIO_METHOD init(void*) override {  // the window: no dialogs, so never looked at
    const std::int32_t answer = guarded([](AsioFront& front) { return front.init() ? 1 : 0; });
    return answer == 1 ? 1 : 0;
  }
  void ASIO_METHOD getDriverName(char* name) override {
    const FloatGuard floats;
    front_->get_driver_name(name);
  }
  std::int32_t ASIO_METHOD getDriverVersion() override { return kDriverVersion; }
  void ASIO_METHOD getErrorMessage(char* message) override {
    const FloatGuard floats;
    front_->get_error_message(message);
  }
  std::int32_t ASIO_METHOD start() override {
    return guarded([](AsioFront& front) { return front.start(); });
  }
  std::int32_t ASIO_METHOD stop() override {
    return guarded([](AsioFront& front) { return front.stop(); });
  }
  std::int32_t ASIO_METHOD getChannels(std::int32_t* inputs, std::int32_t* outputs) override {
    return guarded([=](AsioFront& front) { return front.get_channels(inputs, outputs); });
  }
  std::int32_t ASIO_METHOD getLatencies(std::int32_t* input, std::int32_t* output) override {
    return guarded([=](AsioFront& front) { return front.get_latencies(input, output); });
  }
  std::int32_t ASIO_METHOD getBufferSize(std::int32_t* minimum, std::int32_t* maximum,
                                         std::int32_t* preferred,
                                         std::int32_t* granularity) override {
    return guarded([=](AsioFront& front) {
      return front.get_buffer_size(minimum, maximum, preferred, granularity);
    });
  }
  std::int32_t ASIO_METHOD canSampleRate(double rate) override {
    return guarded([=](AsioFront& front) { return front.can_sample_rate(rate); });
  }
  std::int32_t ASIO_METHOD getSampleRate(double* rate) override {
    return guarded([=](AsioFront& front) { return front.get_sample_rate(rate); });
  }
  std::int32_t ASIO_METHOD setSampleRate(double rate) override {
    return guarded([=](AsioFront& front) { return front.set_sample_rate(rate); });
  }
  std::int32_t ASIO_METHOD getClockSources(ClockSource* sources, std::int32_t* count) override {
    return guarded([=](AsioFront& front) { return front.get_clock_sources(sources, count); });
  }
  std::int32_t ASIO_METHOD setClockSource(std::int32_t index) override {
    return guarded([=](AsioFront& front) { return front.set_clock_source(index); });
  }
  std::int32_t ASIO_METHOD getSamplePosition(U64Pair* position, U64Pair* time) override {
    return guarded([=](AsioFront& front) { return front.get_sample_position(position, time); });
  }
  std::int32_t ASIO_METHOD getChannelInfo(ChannelInfo* info) override {
    return guarded([=](AsioFront& front) { return front.get_channel_info(info); });
  }
  std::int32_t ASIO_METHOD createBuffers(BufferInfo* infos, std::int32_t count, std::int32_t frames,
                                         Callbacks* callbacks) override {
    return guarded(
        [=](AsioFront& front) { return front.create_buffers(infos, count, frames, callbacks); });
  }
  std::int32_t ASIO_METHOD disposeBuffers() override {
    return guarded([](AsioFront& front) { return front.dispose_buffers(); });
  }
  std::int32_t ASIO_METHOD controlPanel() override {
    return guarded([](AsioFront& front) { return front.control_panel(); });
  }
  std::int32_t ASIO_METHOD future(std::int32_t selector, void* option) override {
    return guarded([=](AsioFront& front) { return front.future(selector, option); });
  }
  std::int32_t ASIO_METHOD outputReady() override {
    return guarded([](AsioFront& front) { return front.output_ready(); });
  }

 private:
  ~DriverShell() { live.fetch_sub(1); }

  /// Runs one method of the front. The host may release us inside (it is called back): the front
  /// is held by the copy, and nothing of this object is touched after the body.
  template <class Body>
  [[nodiscard]] std::int32_t guarded(Body body) noexcept {
    const FloatGuard floats;
    const std::shared_ptr<AsioFront> front = front_;
    try {
      return body(*front);
    } catch (const std::bad_alloc&) {
      return front->explain(kNoMemory, "The system has no memory left for this call.");
    } catch (...) {
      return front->explain(kHardwareMalfunction,
                            "The driver met an unexpected error of its own; try again.");
    }
  }

  void end() noexcept {
    const FloatGuard floats;
    try {
      front_->shutdown();
    } catch (...) {  // out of memory: what could not be ended ends with the process
    }
    delete this;
  }

  const std::shared_ptr<AsioFront> front_;
  std::atomic<std::uint32_t> refs_{1};
};

}  // namespace

AsioDriver* make_driver(FrontPorts ports, FrontOptions options) {
  return new DriverShell(AsioFront::create(std::move(ports), options));
}

std::int32_t live_drivers() noexcept { return live.load(); }

}  // namespace asiodrv::asio
