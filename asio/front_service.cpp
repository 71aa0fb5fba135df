// The front's side of the conversation with the service. Everything here runs under control_.
#include <algorithm>
#include <utility>

#include "asio/front.hpp"

namespace asiodrv::asio {
namespace {

using ports::MutexLock;
using std::chrono::seconds;

constexpr nanoseconds kSessionBound = seconds{3};  // the service may have to open the device
constexpr nanoseconds kDisposeBound = seconds{1};

/// After these answers nobody knows what the service made of the request: hang up, so that it
/// drops what it holds for us.
constexpr bool ends_conversation(ErrorCode code) noexcept {
  return code == ErrorCode::disconnected || code == ErrorCode::timed_out ||
         code == ErrorCode::malformed;
}

bool plausible(const wire::DriverDescription& driver) noexcept {
  const auto& sizes = driver.buffer_sizes;
  return driver.input_names.size() <= wire::kMaxChannels &&
         driver.output_names.size() <= wire::kMaxChannels && !driver.rates.empty() &&
         !driver.clock_sources.empty() && sizes.size() == driver.rates.size() &&
         std::all_of(sizes.begin(), sizes.end(),
                     [](const wire::BufferSizes& each) { return each.plausible(); });
}

}  // namespace

Result<> AsioFront::connect(nanoseconds bound) {
  link_up_ = false;
  session_live_ = false;
  const Instant deadline = within(bound);
  // Before the question: the notifier may handle events of the new conversation while we are here.
  const bool stale = description_stale_.exchange(false);
  auto description = ask_service(deadline);
  if (description && select_clock_again(*description, deadline)) {
    description = ask_service(deadline);  // the device's rate may be another now
  }
  if (!description) {
    if (stale) description_stale_ = true;
    return refusal(description.error());
  }
  if (!plausible(*description)) {
    link_->disconnect();
    if (stale) description_stale_ = true;
    return fail(ErrorCode::malformed,
                "The service described a device that makes no sense; restart asio-driver.");
  }
  adopt(std::move(*description));
  conversation_.fetch_add(1);
  link_up_ = true;
  if (notify_) notify_->signal();
  return repeat_mixer();
}

/// Who breaks the attempt off marks it first and hangs up then: one of the two is seen, whenever it
/// happens.
Result<wire::DriverDescription> AsioFront::ask_service(Instant deadline) {
  link_->prepare_connect();
  if (attempt_.load() == Attempt::aborted) {
    return fail(ErrorCode::disconnected, "The attempt to reach the service was broken off.");
  }
  return link_->connect(true, deadline);
}

/// A service that has started anew knows nothing of the clock source that the host has selected.
/// True: the device follows that one again.
bool AsioFront::select_clock_again(const wire::DriverDescription& driver, Instant deadline) {
  std::string wanted;
  {
    const MutexLock lock(data_);
    wanted = foreign_clock_;
  }
  if (wanted.empty() || attempt_.load() == Attempt::aborted) return false;
  const auto& sources = driver.clock_sources;
  const auto found = std::find_if(sources.begin(), sources.end(),
                                  [&](const auto& each) { return each.name == wanted; });
  if (found == sources.end() || found->current) return false;
  const auto index = static_cast<std::uint32_t>(found - sources.begin());
  return link_->select_clock(index, deadline).has_value() && attempt_.load() != Attempt::aborted;
}

/// Reads anew what the service offers, without buffers. Where that fails, the next need does it.
void AsioFront::look_again(nanoseconds bound) {
  const SampleRate before{rate_hz_.load()};
  if (connect(bound)) (void)keep_rate(before);
}

void AsioFront::adopt(wire::DriverDescription description) {
  {
    const MutexLock lock(data_);
    description_ = std::move(description);
    rate_hz_ = description_.rate.hz;
  }
  if (!buffers_) estimate_latencies();
}

/// Before buffers exist: what the preferred size would have.
void AsioFront::estimate_latencies() {
  const MutexLock lock(data_);
  const std::uint32_t frames = description_.sizes().preferred.count;
  set_latencies(
      {frames + description_.device_input_latency.count},
      {frames * (description_.deferred ? 2 : 1) + description_.device_output_latency.count});
}

void AsioFront::set_latencies(Frames input, Frames output) noexcept {
  const auto clamp = [](Frames frames) {
    return static_cast<std::int32_t>(std::min<std::uint32_t>(frames.count, INT32_MAX));
  };
  input_latency_ = clamp(input);
  output_latency_ = clamp(output);
}

/// Some hosts set the rate, destroy the driver, create it anew and expect the rate to hold. Errors:
/// the service's; the rate is its own then.
Result<> AsioFront::restore_rate() {
  if (ports_.remembered_rate_hz == nullptr) return {};
  const SampleRate wanted{ports_.remembered_rate_hz->load()};
  if (wanted.hz == 0 || wanted.hz == rate_hz_ || !offers_rate(wanted.hz)) return {};
  host_rate_hz_ = wanted.hz;  // what the service reports meanwhile is no news to the host
  auto answer = judge(link_->set_rate(wanted, within(kDisposeBound)));
  if (answer) {
    apply_rate(wanted);
    if (!buffers_) estimate_latencies();
  }
  host_rate_hz_ = 0;
  return answer;
}

/// After a new conversation: a program's rate ends with its connection. `before`, which the host
/// was told last, holds if the host itself has set it. Errors: as above.
Result<> AsioFront::keep_rate(SampleRate before) {
  const auto* const remembered = ports_.remembered_rate_hz;
  if (remembered == nullptr || remembered->load() != before.hz) return {};
  return restore_rate();
}

void AsioFront::apply_rate(SampleRate rate) {
  const MutexLock lock(data_);
  description_.rate = rate;
  rate_hz_ = rate.hz;
  if (buffers_) buffers_->shape.rate = rate;
}

/// Passes an answer on; one that ends the conversation ends it here.
Result<> AsioFront::judge(Result<> answer) {
  if (!answer && ends_conversation(answer.error().code)) lose_link();
  return answer;
}

void AsioFront::lose_link() noexcept {
  link_->disconnect();
  link_up_ = false;
  session_live_ = false;
  if (buffers_) buffers_->current->lost.store(true);
  if (stream_) stream_->note_loss();
  if (notify_) notify_->signal();
}

/// While a stream runs, the notifier alone brings a lost service back, for it makes a session too.
/// A conversation that began here would look whole to it, and the host would hear silence for good.
Result<> AsioFront::ensure_link() {
  if (link_up_) return {};
  if (state() == State::running) {
    return fail(ErrorCode::disconnected,
                "The audio service is away; the sound returns with it by itself. Try again then.");
  }
  return connect(kConnectBound);
}

Result<wire::SessionGrant> AsioFront::ask_for_session(const wire::SessionRequest& request) {
  auto grant = link_->create_session(request, within(kSessionBound));
  if (!grant && ends_conversation(grant.error().code)) lose_link();
  return grant;
}

/// The first session of fresh buffers. A conversation that died unnoticed is begun again, once.
Result<> AsioFront::open_session(BufferSet& buffers) {
  const bool was_up = link_up_;
  const SampleRate before{rate_hz_.load()};
  if (auto linked = ensure_link(); !linked) return linked;
  if (!was_up) (void)keep_rate(before);  // or the service's rate, as the host can ask
  auto grant = ask_for_session(buffers.request);
  if (!grant && grant.error().code == ErrorCode::disconnected && was_up) {
    if (auto linked = ensure_link(); !linked) return linked;
    (void)keep_rate(before);
    grant = ask_for_session(buffers.request);
  }
  if (!grant) return refusal(grant.error());
  {
    const MutexLock lock(data_);
    buffers.shape = shape_of(description_);
    buffers.layout = {description_.sample_type, buffers.request.frames,
                      static_cast<std::uint32_t>(buffers.request.inputs.size()),
                      static_cast<std::uint32_t>(buffers.request.outputs.size())};
  }
  return attach(buffers, *grant);
}

/// A new session for buffers that the host already has: what it holds stays, and the new section is
/// attached beside it. False when the service now offers something else: connected, no session.
Result<bool> AsioFront::reopen_session(BufferSet& buffers, nanoseconds bound) {
  SampleRate before{};
  {
    const MutexLock lock(data_);
    before = buffers.shape.rate;
  }
  if (auto connected = connect(bound); !connected) return refusal(connected.error());
  const auto kept = keep_rate(before);
  // A rate that cannot be had any more is another offer; everything else is worth another attempt.
  if (!kept && to_rate_error(kept.error().code) != kNoClock) return refusal(kept.error());
  {
    const MutexLock lock(data_);
    if (shape_of(description_) != buffers.shape) return false;
  }
  const auto grant = ask_for_session(buffers.request);
  if (!grant) return refusal(grant.error());
  if (auto attached = attach(buffers, *grant); !attached) return refusal(attached.error());
  return true;
}

Result<> AsioFront::attach(BufferSet& buffers, const wire::SessionGrant& grant) {
  session_live_ = true;
  auto attachment = open_attachment(ports_.regions, grant, buffers.layout);
  if (!attachment) {
    session_live_ = false;
    (void)judge(link_->dispose_session(within(kDisposeBound)));
    return refusal(attachment.error());
  }
  wire::CycleReply reply{};
  reply.mode = static_cast<std::uint32_t>(wire::ReplyMode::free_running);  // until a stream follows
  wire::write_reply((*attachment)->region->bytes(), reply);
  buffers.prune();
  buffers.attachments.push_back(std::move(*attachment));  // first: it may find no memory
  buffers.current = buffers.attachments.back().get();
  set_latencies(grant.input_latency, grant.output_latency);
  return {};
}

}  // namespace asiodrv::asio
