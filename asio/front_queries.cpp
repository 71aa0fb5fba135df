// What a host asks and sets: channels, sizes, rates, clock sources, positions, future().
#include <algorithm>
#include <string>

#include "asio/front.hpp"
#include "asio/text.hpp"

namespace asiodrv::asio {
namespace {

using ports::MutexLock;
using std::chrono::seconds;

constexpr nanoseconds kRateBound = seconds{3};  // the device may have to be opened anew
constexpr std::int32_t kLastOldSelector = 17;   // "optional one"; 1 to 17 are known to hosts
constexpr std::string_view kNullPointer = "The call was given a null pointer.";

constexpr AsioSampleType abi_type(SampleType type) noexcept {
  switch (type) {
    case SampleType::float32: return kFloat32Lsb;
    case SampleType::int32: return kInt32Lsb;
    case SampleType::int24: return kInt24Lsb;
    case SampleType::int16: return kInt16Lsb;
  }
  return kFloat32Lsb;
}

template <class T>
void zero(T* value) noexcept {
  if (value != nullptr) *value = T{};
}

template <class T>
std::int32_t to_int(T value) noexcept {
  return static_cast<std::int32_t>(value);
}

std::uint32_t current_clock(const wire::DriverDescription& driver) noexcept {
  for (std::size_t i = 0; i < driver.clock_sources.size(); ++i) {
    if (driver.clock_sources[i].current) return static_cast<std::uint32_t>(i);
  }
  return 0;
}

bool contains(const std::vector<std::uint32_t>& list, std::uint32_t value) noexcept {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

std::int32_t AsioFront::get_channels(std::int32_t* inputs, std::int32_t* outputs) {
  zero(inputs);
  zero(outputs);
  if (const auto error = refused(Call::get_channels); error != kOk) return error;
  if (inputs == nullptr || outputs == nullptr) return explain(kInvalidParameter, kNullPointer);
  {
    const MutexLock lock(data_);
    *inputs = to_int(description_.input_names.size());
    *outputs = to_int(description_.output_names.size());
  }
  if (*inputs != 0 || *outputs != 0) return kOk;
  return explain(kNotPresent, "The audio device has no channels; choose another device.");
}

std::int32_t AsioFront::get_latencies(std::int32_t* input, std::int32_t* output) {
  zero(input);
  zero(output);
  if (const auto error = refused(Call::get_latencies); error != kOk) return error;
  if (input == nullptr || output == nullptr) return explain(kInvalidParameter, kNullPointer);
  *input = input_latency_;
  *output = output_latency_;
  return kOk;
}

std::int32_t AsioFront::get_buffer_size(std::int32_t* minimum, std::int32_t* maximum,
                                        std::int32_t* preferred, std::int32_t* granularity) {
  for (std::int32_t* const each : {minimum, maximum, preferred, granularity}) zero(each);
  if (const auto error = refused(Call::get_buffer_size); error != kOk) return error;
  for (const std::int32_t* const each : {minimum, maximum, preferred, granularity}) {
    if (each == nullptr) return explain(kInvalidParameter, kNullPointer);
  }
  const MutexLock lock(data_);
  const wire::BufferSizes& sizes = description_.sizes();
  *minimum = to_int(sizes.least.count);
  *maximum = to_int(sizes.most.count);
  *preferred = to_int(sizes.preferred.count);
  if (sizes.least == sizes.most) return kOk;  // granularity 0: the one size
  *granularity = sizes.step.count == 0 ? -1 : to_int(sizes.step.count);  // -1: powers of two
  return kOk;
}

// --- rates ---------------------------------------------------------------------------------------

/// From the table, whatever the device is doing. NaN compares unequal to everything.
bool AsioFront::offers_rate(double rate) {
  const MutexLock lock(data_);
  return std::any_of(description_.rates.begin(), description_.rates.end(),
                     [rate](SampleRate each) { return static_cast<double>(each.hz) == rate; });
}

std::int32_t AsioFront::can_sample_rate(double rate) {
  if (const auto error = refused(Call::can_sample_rate); error != kOk) return error;
  if (offers_rate(rate)) return kOk;
  return explain(kNoClock, "The audio device does not offer this sample rate.");
}

std::int32_t AsioFront::get_sample_rate(double* rate) {
  zero(rate);
  if (const auto error = refused(Call::get_sample_rate); error != kOk) return error;
  if (rate == nullptr) return explain(kInvalidParameter, kNullPointer);
  const std::uint32_t hz = rate_hz_;
  *rate = static_cast<double>(hz);
  if (hz != 0) return kOk;
  return explain(kNoClock, "The clock of the audio device is lost; check its clock source.");
}

std::int32_t AsioFront::set_sample_rate(double rate) {
  const MutexLock lock(control_);
  if (const auto error = refused(Call::set_sample_rate); error != kOk) return error;
  if (rate == 0.0) return use_external_sync();
  if (!offers_rate(rate)) {
    return explain(kNoClock, "The audio device does not offer this sample rate.");
  }
  const SampleRate wanted{static_cast<std::uint32_t>(rate)};
  if (wanted.hz != rate_hz_) {
    bool external = false;
    {
      const MutexLock data(data_);
      external = current_clock(description_) != 0 && !description_stale_;
    }
    if (external) {
      return explain(kInvalidMode,
                     "An external clock sets the rate; select the internal one first.");
    }
    auto answer = ensure_link();
    if (answer) {
      host_rate_hz_ = wanted.hz;  // what the service reports meanwhile is no news to the host
      answer = judge(link_->set_rate(wanted, within(kRateBound)));
      if (answer) {
        apply_rate(wanted);
        if (!buffers_) estimate_latencies();  // the preferred size may be another
      }
      host_rate_hz_ = 0;
    }
    if (!answer) return explain(to_rate_error(answer.error().code), answer.error().message);
  }
  if (ports_.remembered_rate_hz != nullptr) ports_.remembered_rate_hz->store(wanted.hz);
  return kOk;
}

// --- clock sources -------------------------------------------------------------------------------

/// Rate 0 asks for external synchronisation: the first source that is not the internal one.
std::int32_t AsioFront::use_external_sync() {
  std::uint32_t current = 0;
  std::size_t sources = 0;
  {
    const MutexLock lock(data_);
    current = current_clock(description_);
    sources = description_.clock_sources.size();
  }
  if (current != 0 && !description_stale_) return kOk;
  if (sources < 2) return explain(kNoClock, "The audio device has no external clock source.");
  return select_clock(1);
}

std::int32_t AsioFront::get_clock_sources(ClockSource* sources, std::int32_t* count) {
  const std::int32_t capacity = count != nullptr ? *count : 0;
  zero(count);
  if (const auto error = refused(Call::get_clock_sources); error != kOk) return error;
  if (sources == nullptr || count == nullptr || capacity <= 0) {
    return explain(kInvalidParameter, "getClockSources needs room for at least one source.");
  }
  const MutexLock lock(data_);
  const std::size_t fitting =
      std::min(static_cast<std::size_t>(capacity), description_.clock_sources.size());
  const std::uint32_t current = current_clock(description_);
  for (std::size_t i = 0; i < fitting; ++i) {
    ClockSource& source = sources[i];
    source = {.index = to_int(i),
              .channel = -1,
              .group = -1,
              .is_current = current == i ? 1 : 0,
              .name = {}};
    copy_text(source.name, sizeof source.name, description_.clock_sources[i].name);
  }
  *count = to_int(fitting);
  return kOk;
}

std::int32_t AsioFront::set_clock_source(std::int32_t index) {
  const MutexLock lock(control_);
  if (const auto error = refused(Call::set_clock_source); error != kOk) return error;
  std::size_t sources = 0;
  std::uint32_t current = 0;
  {
    const MutexLock data(data_);
    sources = description_.clock_sources.size();
    current = current_clock(description_);
  }
  if (index < 0 || static_cast<std::size_t>(index) >= sources) {
    return explain(kInvalidParameter, "There is no clock source with this index.");
  }
  const auto wanted = static_cast<std::uint32_t>(index);
  // What somebody else may have changed is for the service to know.
  if (wanted == current && !description_stale_) return kOk;
  return select_clock(wanted);
}

/// Under control_.
std::int32_t AsioFront::select_clock(std::uint32_t index) {
  auto answer = ensure_link();
  if (answer) answer = judge(link_->select_clock(index, within(kRateBound)));
  if (!answer) return explain(to_clock_error(answer.error().code), answer.error().message);
  const MutexLock lock(data_);
  for (std::size_t i = 0; i < description_.clock_sources.size(); ++i) {
    description_.clock_sources[i].current = i == index;
    if (i == index) foreign_clock_ = i == 0 ? std::string() : description_.clock_sources[i].name;
  }
  return kOk;
}

// --- channels and positions ----------------------------------------------------------------------

std::int32_t AsioFront::get_channel_info(ChannelInfo* info) {
  if (info == nullptr) {
    const auto error = refused(Call::get_channel_info);
    return error != kOk ? error : explain(kInvalidParameter, kNullPointer);
  }
  *info = {.channel = info->channel,
           .is_input = info->is_input,
           .is_active = 0,
           .group = 0,
           .type = 0,
           .name = {}};
  if (const auto error = refused(Call::get_channel_info); error != kOk) return error;
  {
    const MutexLock lock(data_);
    const bool input = info->is_input != 0;
    const auto& names = input ? description_.input_names : description_.output_names;
    if (info->channel >= 0 && static_cast<std::size_t>(info->channel) < names.size()) {
      const auto channel = static_cast<std::uint32_t>(info->channel);
      info->type = abi_type(description_.sample_type);
      copy_text(info->name, sizeof info->name, names[channel]);
      if (buffers_) {
        const wire::SessionRequest& request = buffers_->request;
        info->is_active = contains(input ? request.inputs : request.outputs, channel) ? 1 : 0;
      }
      return kOk;
    }
  }
  return explain(kInvalidParameter, "There is no channel with this number.");
}

std::int32_t AsioFront::get_sample_position(U64Pair* position, U64Pair* time) {
  zero(position);
  zero(time);
  if (const auto error = refused(Call::get_sample_position); error != kOk) return error;
  if (position == nullptr || time == nullptr) return explain(kInvalidParameter, kNullPointer);
  const Moment now = board_->read();
  *position = split64(now.position);
  *time = split64(now.system_ns);
  return kOk;
}

// --- the rest ------------------------------------------------------------------------------------

std::int32_t AsioFront::control_panel() {
  if (!ports_.open_panel) return explain(kNotPresent, "This driver has no control panel.");
  const auto opened = ports_.open_panel();
  if (opened) return kOk;
  return explain(kNotPresent, "The control panel could not be opened: " + opened.error().message);
}

std::int32_t AsioFront::future(std::int32_t selector, void* option) {
  switch (selector) {
    case kCanTimeInfo: return kFutureSuccess;
    case kCanReportOverload: overload_wanted_ = true; return kFutureSuccess;
    case kGetInternalBufferSamples:
      return internal_buffers(static_cast<InternalBufferInfo*>(option));
    case kSetIoFormat:
    case kGetIoFormat:
    case kCanDoIoFormat: return io_format(selector, static_cast<IoFormat*>(option));
    case kCanInputMonitor:
    case kCanInputGain:
    case kCanInputMeter:
    case kCanOutputGain:
    case kCanOutputMeter: return kFutureSuccess;
    case kSetInputMonitor:
    case kSetInputGain:
    case kSetOutputGain:
    case kGetInputMeter:
    case kGetOutputMeter: return mixer(selector, option);
    default: break;
  }
  if (selector >= kEnableTimeCodeRead && selector <= kLastOldSelector) {
    return explain(kNotPresent, "This driver has no time code and no transport.");
  }
  return explain(kInvalidParameter,
                 "future() was called with the unknown selector " + std::to_string(selector) + ".");
}

/// PCM is what there is. A refused format is marked in the host's structure.
std::int32_t AsioFront::io_format(std::int32_t selector, IoFormat* format) {
  if (format == nullptr) return explain(kInvalidParameter, kNullPointer);
  if (selector == kGetIoFormat) {
    format->format_type = kIoFormatPcm;
    return kFutureSuccess;
  }
  const State now = state();
  if (selector == kSetIoFormat && (now == State::prepared || now == State::running)) {
    return explain(kInvalidMode, "The sample format can be set before createBuffers only.");
  }
  if (format->format_type == kIoFormatPcm) return kFutureSuccess;
  format->format_type = kIoFormatInvalid;
  return explain(kNotPresent, "PCM is the only format of this driver.");
}

/// What lies beyond the double buffer; getLatencies includes it.
std::int32_t AsioFront::internal_buffers(InternalBufferInfo* info) {
  if (info == nullptr) return explain(kInvalidParameter, kNullPointer);
  *info = {};
  if (state() == State::loaded) {
    return explain(kInvalidMode, "The driver is not initialised; call init first.");
  }
  const MutexLock lock(data_);
  const auto frames =
      to_int(buffers_ ? buffers_->request.frames.count : description_.sizes().preferred.count);
  info->input_samples = std::max(0, input_latency_.load() - frames);
  info->output_samples = std::max(0, output_latency_.load() - frames);
  return kFutureSuccess;
}

}  // namespace asiodrv::asio
