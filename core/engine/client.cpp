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

Engine::Client::Client(const ClientSetup& from) : setup(from) {
  last_sample.resize(setup.outputs.size());
}

void Engine::Client::restart() noexcept {
  // `rung` goes on where it is: the peer compares counts with what it saw last.
  phase = Phase::starting;
  outstanding = false;
  silenced = false;
  answered = false;
  first_ring = true;
  half = 0;
  std::fill(last_sample.begin(), last_sample.end(), 0.0F);
  burst = {};
}

}  // namespace asiodrv::engine
