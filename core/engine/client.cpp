#include "core/engine/client.hpp"

#include <algorithm>

namespace asiodrv::engine {

void XrunBurst::add(FlightRecorder& recorder, std::uint64_t period, XrunCause cause,
                    std::uint32_t client, std::uint32_t late_ns) RT_SAFE {
  const auto bit = static_cast<std::uint32_t>(cause);
  const bool joins = pending_.periods > 0 && pending_.causes == bit &&
                     pending_.first_period + pending_.periods == period;
  if (pending_.periods > 0 && !joins) recorder.write(pending_);
  if (joins) {
    ++pending_.periods;
    pending_.duration_ns = std::max(pending_.duration_ns, late_ns);
  } else {
    pending_ = {period, 1, bit, client, late_ns};
  }
  ++length_;
  if (length_ <= kImmediate || pending_.periods >= kBatch) {
    recorder.write(pending_);
    pending_.periods = 0;
  }
}

void XrunBurst::end(FlightRecorder& recorder) RT_SAFE {
  if (pending_.periods > 0) recorder.write(pending_);
  pending_.periods = 0;
  length_ = 0;
}

Engine::Client::Client(const ClientSetup& from)
    : setup(from), input_meters(from.inputs.size()), output_meters(from.outputs.size()) {
  rung = setup.wake->count();  // the peer compares counts with what it saw last
  // An interrupt that nobody waited for would end the first wait: the client may have been here
  // before.
  (void)setup.ack->wait_change(setup.ack->count(), Instant{}, nanoseconds{0});
  last_sample.resize(setup.outputs.size());
}

Result<> Engine::Client::prepare(const ports::DeviceFormat& format) {
  prepared_ = false;
  adapter.reset();
  const Frames frames = setup.frames.count != 0 ? setup.frames : format.period;
  const SampleRate rate = setup.rate.hz != 0 ? setup.rate : format.rate;
  const bool adapted = frames != format.period || rate != format.rate;
  small_buffers_ =
      std::uint64_t{frames.count} * format.rate.hz < std::uint64_t{format.period.count} * rate.hz;
  if (small_buffers_ && setup.deferred) {  // called twice in a row, it has no time in between
    return fail(ErrorCode::invalid_argument,
                "A program that defers its output needs buffers that last at least as long as the "
                "device's period; choose a larger buffer size.");
  }
  stride_ = format.period.count;
  const std::size_t channels = setup.outputs.size() + (adapted ? setup.inputs.size() : 0);
  blocks_ = std::make_unique<float[]>(channels * stride_);
  if (adapted) {
    AdapterShape shape;
    shape.device_period = format.period;
    shape.device_rate = format.rate;
    shape.client_frames = frames;
    shape.client_rate = rate;
    shape.deferred = setup.deferred;
    shape.inputs = static_cast<std::uint32_t>(setup.inputs.size());
    shape.outputs = static_cast<std::uint32_t>(setup.outputs.size());
    auto made = Adapter::make(shape);
    if (!made) return tl::unexpected<Error>(std::move(made.error()));
    adapter = std::move(*made);
    fed.assign(setup.inputs.size(), nullptr);
    taken.clear();
    for (std::size_t i = 0; i < setup.outputs.size(); ++i) taken.push_back(block(i));
  }
  restart(false);
  prepared_ = true;
  return {};
}

ClientLatency Engine::Client::latency(Frames device_period) const noexcept {
  if (adapter) return {adapter->input_latency(), adapter->output_latency()};
  return {device_period, Frames{device_period.count * (setup.deferred ? 2 : 1)}};
}

void Engine::Client::restart(bool with_prefilled) noexcept {
  phase = Phase::starting;
  outstanding = false;
  silenced = false;
  sounding = false;
  answered = false;
  first_ring = true;
  prefilled = with_prefilled;
  catching_up = 0;
  half = 0;
  std::fill(last_sample.begin(), last_sample.end(), 0.0F);
  burst = {};
}

}  // namespace asiodrv::engine
