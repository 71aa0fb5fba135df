// Exclusive, event driven. Formats are tried until one is taken: whether a device takes one is
// known only after it has (its own answer beforehand may be wrong either way, and only decides the
// order). Drivers of the HD Audio kind demand that a period fills whole blocks of 128 bytes and
// name the next number of frames that does; since the engine's period is fixed, such a format is
// passed over for one whose frames fit. When there is none, the least number that was named is
// told: the next offer is made of it (ExclusiveLesson).
#include <fmt/format.h>

#include <algorithm>

#include "devices/wasapi/attempt.hpp"
#include "devices/wasapi/codes.hpp"

namespace asiodrv::devices::wasapi {
namespace {

class ExclusiveTries {
 public:
  explicit ExclusiveTries(const Attempt& attempt) : attempt_(attempt) {}

  Result<OpenStream> run() {
    ReferenceTime standard = 0, least = 0;
    std::vector<StreamFormat> formats = exclusive_candidates(
        attempt_.request.rate, attempt_.request.channels, attempt_.request.chosen);
    {
      ComPtr<AudioClient> client;
      Hr code = activate(attempt_.device, client);
      if (!failed(code)) code = client->device_period(&standard, &least);
      if (failed(code)) return refuse(code, "Opening the device for ourselves");
      bool held = false;  // by somebody else: no question gets another answer then
      std::stable_partition(formats.begin(), formats.end(), [&](const StreamFormat& format) {
        if (held) return false;
        const WaveFormatExtensible wave = make_wave_format(format);
        const Hr said = client->is_format_supported(ShareMode::exclusive, &wave.base, nullptr);
        held = said == kDeviceInUse;
        return said == kOk;
      });
    }
    // Rounding may put a period that is exactly the least a hair below it.
    duration_ = hns_of(attempt_.request.period.count, attempt_.request.rate);
    if (duration_ < least &&
        frames_of(least, attempt_.request.rate) == attempt_.request.period.count) {
      duration_ = least;
    }
    for (const StreamFormat& format : formats) {
      const Hr code = while_in_use(attempt_, [&] { return try_format(format); });
      if (!failed(code)) {
        stream_.mode = StreamMode::exclusive;
        stream_.format = format;
        stream_.period = attempt_.request.period;
        return std::move(stream_);
      }
      stream_.client.reset();
      remember(code);
      if (!is_about_format(code) || attempt_.late()) break;
    }
    return failure();
  }

 private:
  /// What another format may mend.
  static bool is_about_format(Hr code) {
    return code == kUnsupportedFormat || code == kEndpointCreateFailed || code == kNotAligned ||
           code == kInvalidArgument || code == kGeneralFailure;
  }

  Hr initialise(const StreamFormat& format, ReferenceTime duration) {
    if (const Hr code = activate(attempt_.device, stream_.client); failed(code)) return code;
    const WaveFormatExtensible wave = make_wave_format(format);
    return stream_.client->initialize(ShareMode::exclusive, kEventCallback, duration, duration,
                                      &wave.base, nullptr);
  }

  Hr try_format(const StreamFormat& format) {
    Hr code = initialise(format, duration_);
    std::uint32_t frames = 0;
    if (code == kNotAligned) {
      // The one thing that a client which failed so can still be asked.
      const Hr asked = stream_.client->buffer_size(&frames);
      stream_.client.reset();  // before the next one: it holds the device
      if (failed(asked)) return code;
      note_period(frames);
      if (frames != attempt_.request.period.count) return code;
      // The right number, lost in the rounding: once more, with the duration made of it.
      code = initialise(format, hns_of(frames, format.rate));
    }
    if (failed(code)) return code;
    code = stream_.client->buffer_size(&frames);
    if (failed(code)) return code;
    if (frames == attempt_.request.period.count) return code;
    note_period(frames);
    return kNotAligned;
  }

  /// Formats of other widths may have named others: the least counts.
  void note_period(std::uint32_t frames) {
    if (frames == attempt_.request.period.count) return;  // that one it does not take either
    if (aligned_ == 0 || frames < aligned_) aligned_ = frames;
  }

  /// The most telling failure is what is reported: that a format was refused says least.
  void remember(Hr code) {
    if (failure_ == kOk || is_about_format(failure_)) failure_ = code;
  }

  Result<OpenStream> failure() const {
    if (failure_ == kOk) {
      return fail(ErrorCode::format_refused, "There is no format that could be tried.");
    }
    if (aligned_ != 0 && is_about_format(failure_)) {
      if (attempt_.request.named_period != nullptr) *attempt_.request.named_period = aligned_;
      return fail(ErrorCode::format_refused,
                  fmt::format("The device has no period of {} frames at {} Hz; the next one that "
                              "it accepts: {}.",
                              attempt_.request.period.count, attempt_.request.rate.hz, aligned_));
    }
    return refuse(failure_, fmt::format("Opening the device for ourselves at {} Hz, {} channels",
                                        attempt_.request.rate.hz, attempt_.request.channels));
  }

  const Attempt& attempt_;
  OpenStream stream_;
  ReferenceTime duration_ = 0;
  std::uint32_t aligned_ = 0;  // frames that the device named
  Hr failure_ = kOk;
};

}  // namespace

Result<OpenStream> try_exclusive(const Attempt& attempt) { return ExclusiveTries(attempt).run(); }

}  // namespace asiodrv::devices::wasapi
