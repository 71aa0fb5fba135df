// The two shared modes: the mixer's usual period, and its small ones.
#include <fmt/format.h>

#include <algorithm>

#include "devices/wasapi/attempt.hpp"
#include "devices/wasapi/codes.hpp"

namespace asiodrv::devices::wasapi {
namespace {

/// Room for the fill to grow; how far it is filled decides the latency, not this.
constexpr std::uint32_t kBufferPeriods = 4;

Result<> check_period(std::uint32_t asked, std::uint32_t least, std::uint32_t most,
                      std::uint32_t step) {
  if (asked >= least && asked <= most && asked % step == 0) return {};
  const std::string accepted =
      least == most ? fmt::format("{} frames", least)
                    : fmt::format("multiples of {} from {} to {} frames", step, least, most);
  return fail(ErrorCode::format_refused,
              fmt::format("Windows' mixer does not run at {} frames a period; accepted: {}.", asked,
                          accepted));
}

Result<> check_rate(SampleRate asked, SampleRate mixer) {
  if (asked == mixer) return {};
  return fail(ErrorCode::format_refused,
              fmt::format("Windows' mixer runs at {} Hz, not at {}; accepted: {}. The rate is "
                          "chosen in Windows' sound settings.",
                          mixer.hz, asked.hz, mixer.hz));
}

}  // namespace

Result<StreamFormat> mix_format(System& system, AudioClient& client) {
  TaskMemory<WaveFormat> memory(system);
  const Hr code = client.mix_format(memory.out());
  if (failed(code)) return refuse(code, "Asking for the mixer's format");
  const std::optional<StreamFormat> format = copy_wave_format(memory.get());
  if (!format) {
    return fail(ErrorCode::unsupported,
                "Windows' mixer runs in a format that is not supported; accepted are 1 to 64 "
                "channels of 16, 24 or 32 bits. Choose another one in Windows' sound settings.");
  }
  return *format;
}

std::uint32_t mixer_period(System& system, MmDevice& device) {
  ComPtr<AudioClient3> client;
  if (failed(activate(device, client))) return 0;
  TaskMemory<WaveFormat> format(system);
  std::uint32_t frames = 0;
  if (failed(client->current_engine_period(format.out(), &frames))) return 0;
  return frames <= (1U << 20) ? frames : 0;
}

Result<OpenStream> try_shared(const Attempt& attempt) {
  const StreamRequest& request = attempt.request;
  OpenStream stream;
  stream.mode = StreamMode::shared;
  stream.period = request.period;
  Result<> judged;
  const Hr code = while_in_use(attempt, [&]() -> Hr {
    if (const Hr made = activate(attempt.device, stream.client); failed(made)) return made;
    const Result<StreamFormat> mix = mix_format(attempt.system, *stream.client.get());
    ReferenceTime standard = 0, least = 0;
    if (const Hr told = stream.client->device_period(&standard, &least); failed(told)) return told;
    std::uint32_t flags = kEventCallback | kNoPersist;
    judged = mix ? Result<>{} : tl::unexpected(mix.error());
    if (judged) {
      stream.format = *mix;
      if (request.may_convert_rate && mix->rate != request.rate) {
        stream.format.rate = request.rate;
        flags |= kAutoConvert | kDefaultQuality;
      }
      judged = check_rate(request.rate, stream.format.rate);
    }
    if (judged) {
      const std::uint32_t period = frames_of(std::max<ReferenceTime>(standard, 1), request.rate);
      judged = check_period(request.period.count, period, period, std::max(period, 1U));
    }
    if (!judged) return kOk;
    const WaveFormatExtensible wave = make_wave_format(stream.format);
    return stream.client->initialize(ShareMode::shared, flags,
                                     hns_of(request.period.count * kBufferPeriods, request.rate), 0,
                                     &wave.base, nullptr);
  });
  if (failed(code)) return refuse(code, "Opening a shared stream");
  if (!judged) return tl::unexpected(judged.error());
  return stream;
}

Result<OpenStream> try_low_latency(const Attempt& attempt) {
  const StreamRequest& request = attempt.request;
  OpenStream stream;
  stream.mode = StreamMode::low_latency;
  stream.period = request.period;
  Result<> judged;
  std::uint32_t pinned = 0;  // the period that others hold the mixer at
  const auto initialise = [&]() -> Hr {
    ComPtr<AudioClient3> client;
    if (const Hr made = activate(attempt.device, client); failed(made)) return made;
    // Before everything else: it changes the answers. A refusal changes nothing for us.
    ClientProperties properties;
    properties.category = Category::media;
    (void)client->set_client_properties(&properties);
    const Result<StreamFormat> mix = mix_format(attempt.system, *client.get());
    judged = mix ? check_rate(request.rate, mix->rate) : tl::unexpected(mix.error());
    if (!judged) return kOk;
    stream.format = *mix;
    const WaveFormatExtensible wave = make_wave_format(stream.format);
    std::uint32_t standard = 0, step = 0, least = 0, most = 0;
    Hr code = client->shared_engine_period(&wave.base, &standard, &step, &least, &most);
    if (code == kPeriodicityLocked) {
      pinned = mixer_period(attempt.system, attempt.device);
      if (pinned != request.period.count) return code;
    } else {
      if (failed(code)) return code;
      judged = check_period(request.period.count, least, most, std::max(step, 1U));
      if (!judged) return kOk;
    }
    code = client->initialize_shared(kEventCallback, request.period.count, &wave.base, nullptr);
    if (code == kPeriodicityLocked) {
      client.reset();
      pinned = mixer_period(attempt.system, attempt.device);
    }
    if (!failed(code)) stream.client = ComPtr<AudioClient>(std::move(client));
    return code;
  };
  Hr code = while_in_use(attempt, initialise);
  // It may have been let go meanwhile, or already be what we ask for.
  if (code == kPeriodicityLocked && pinned == request.period.count) code = initialise();
  if (code == kPeriodicityLocked && pinned != 0) {
    if (request.held_period != nullptr && pinned != request.period.count) {
      *request.held_period = pinned;
    }
    return fail(ErrorCode::format_refused,
                fmt::format("Another program holds Windows' mixer at {} frames a period; accepted "
                            "until it leaves: {}. ({})",
                            pinned, pinned, code_name(code)));
  }
  if (failed(code)) return refuse(code, "Opening a shared stream with small periods");
  if (!judged) return tl::unexpected(judged.error());
  return stream;
}

}  // namespace asiodrv::devices::wasapi
