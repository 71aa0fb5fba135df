// How one fake endpoint behaves: everything in which Windows machines differ, and where documents
// and observation disagree. The defaults are a plain, well-behaved device at 48 kHz.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/units.hpp"
#include "devices/wasapi/abi.hpp"
#include "devices/wasapi/fake/formats.hpp"

namespace asiodrv::devices::wasapi::fake {

using std::chrono::milliseconds;

/// Whether AudioClient3 can be had.
enum class SmallPeriods { work, absent, not_implemented };

/// What an exclusive stream's padding says: nothing of use.
enum class ExclusivePadding { zero, full };

/// Which channel masks a driver takes in exclusive mode.
enum class MaskRule { any, not_zero, only_zero };

/// Whether a driver takes the old form of a format in exclusive mode.
enum class PlainRule { refused, accepted, required };

/// What a driver takes in exclusive mode. Channels: those of the mix format unless listed.
struct ExclusiveFormats {
  std::vector<Layout> layouts{Layout::int16, Layout::int24_in_32, Layout::int32};
  std::vector<std::uint32_t> rates_hz{44'100, 48'000, 88'200, 96'000};
  std::vector<std::uint16_t> channels;
  MaskRule masks = MaskRule::any;
  /// Of 16 bits and up to two channels; `required` is for those alone, too.
  PlainRule plain16 = PlainRule::accepted;
  /// 24 packed bits in the old form are taken, and then read as frames of eight bytes.
  bool plain24_lie = false;
  double liar = 0;  ///< of the formats: is_format_supported says the opposite of the truth
};

/// What the calls of a lost stream return.
enum class LossCode { invalidated, resources, service, silent };
Hr hr_of(LossCode code) noexcept;  ///< silent: kOk

struct Knobs {
  // --- sizes ---
  ReferenceTime standard_period = 100'000, least_period = 30'000, most_period = 5'000'000;
  std::uint32_t align_bytes = 0;  ///< half of an exclusive ring is a multiple of it; 0: any size
  SmallPeriods small_periods = SmallPeriods::work;
  /// In frames at the mix rate; standard is that of standard_period.
  std::uint32_t fundamental_frames = 16, least_frames = 128;
  bool is_raw_supported = true;

  // --- time ---
  double offset_ppm = 0;                            ///< of the device's own clock
  nanoseconds first_event_most = milliseconds{10};  ///< after start, besides the engine's tick
  nanoseconds event_jitter{0};                      ///< every tick is late by up to this
  nanoseconds event_clump{0};                       ///< ticks are seen at multiples of it only
  double late_event = 0, double_event = 0, missing_event = 0;  ///< probabilities per event
  nanoseconds late_by = milliseconds{4};
  nanoseconds triples_after{0};  ///< from then on, only each third event; 0: never
  nanoseconds position_zero_most = milliseconds{15};  ///< after start, the clock stays at 0
  double position_inaccurate = 0.05;                  ///< probability of kFalse, a shaky position
  bool events_after_stop = true;

  // --- answers on which versions differ ---
  ReferenceTime stream_latency = 0;  ///< in shared mode
  ExclusivePadding exclusive_padding = ExclusivePadding::zero;
  Hr start_without_event = kEventNotSet;            ///< or kNoEventSeen
  Hr second_event = kInvalidName;                   ///< or kUnexpected
  Hr second_reset = kOk;                            ///< or kFalse
  Hr extra_exclusive_buffer = kOutOfOrder;          ///< or kBufferTooLarge
  Hr exclusive_release_nothing = kBufferSizeError;  ///< release_buffer(0), or kOk
  Hr late_client_properties = kAlreadyInitialized;  ///< or kOk
  Hr unknown_stream_flag = kInvalidArgument;        ///< or kInvalidStreamFlag
  bool second_initialize_spoils_start = true;
  bool failed_initialize_poisons = true;
  bool unknown_release_flag_passes = false;
  bool mix_format_is_plain = false;
  bool shared_buffer_is_three_periods = false;  ///< as Wine has it
  bool shared_takes_any_rate = false;           ///< is_format_supported answers kOk for all

  // --- who may ---
  bool exclusive_allowed = true;
  bool exclusive_wins = true;           ///< over shared streams; else kDeviceInUse
  nanoseconds busy_after_exclusive{0};  ///< how long the device stays taken
  bool capture_allowed = true;          ///< microphone privacy
  ExclusiveFormats exclusive;
  std::optional<Hr> exclusive_refusal;  ///< every exclusive initialize ends so
  nanoseconds initialize_hangs{0}, start_hangs{0}, release_hangs{0};

  // --- capture ---
  bool first_packet_discontinuity = true;
  bool first_packet_silent = false;  ///< with the discontinuity, and with garbage
  bool every_packet_discontinuity = false;
  bool overrun_flagged = true;
  double silent_packet = 0;    ///< probability: flagged silent, full of noise
  double timestamp_error = 0;  ///< probability: position and time are absurd
  /// A packet's time is that of its arrival, as under Wine, where a timer fetches it: with its last
  /// frame or up to a period after it, drawn once per stream.
  bool stamps_arrival = false;

  // --- exclusive render ---
  double buffer_error = 0;  ///< probability of kBufferError, once per event

  // --- loss ---
  LossCode loss = LossCode::invalidated;
  bool odd_codes_after_loss = true;  ///< of stop and reset, drawn
  bool last_signal_on_loss = false;
  nanoseconds absent_on_resume{0};  ///< gone for so long after sleep
  nanoseconds disconnect_after{0};  ///< session event, after the codes; negative:
                                    ///< that much before them
};

/// One endpoint as it is plugged in. Text that is left empty is made up.
struct EndpointSpec {
  Flow flow = Flow::render;
  std::u16string id{}, name{}, adapter{};
  std::optional<Guid> container{};
  std::uint32_t form_factor = 1;
  std::uint32_t state = kActive;
  std::uint32_t rate_hz = 48'000;
  std::uint16_t channels = 2;
  Layout device_layout = Layout::int24_in_32;  ///< of the format chosen in the sound settings
  Knobs knobs{};
};

/// Whole devices, by the manners that they were seen with.
enum class Personality {
  plain,
  hda16,
  hda_alc236_2017,
  usb_uac1,
  usb_uac2_pro,
  virtual_cable,
  hdmi,
  bluetooth,
  low_latency_shared,
  no_small_buffer,
  corporate,
  wine8,
  liar
};
inline constexpr Personality kPersonalities[] = {Personality::plain,
                                                 Personality::hda16,
                                                 Personality::hda_alc236_2017,
                                                 Personality::usb_uac1,
                                                 Personality::usb_uac2_pro,
                                                 Personality::virtual_cable,
                                                 Personality::hdmi,
                                                 Personality::bluetooth,
                                                 Personality::low_latency_shared,
                                                 Personality::no_small_buffer,
                                                 Personality::corporate,
                                                 Personality::wine8,
                                                 Personality::liar};

/// `low_latency_shared` and so on, for test names.
const char* personality_name(Personality personality) noexcept;
EndpointSpec make_spec(Personality personality, Flow flow);

}  // namespace asiodrv::devices::wasapi::fake
