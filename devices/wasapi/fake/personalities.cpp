#include "devices/wasapi/fake/knobs.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

using std::chrono::minutes;

void be_hda(EndpointSpec& spec) {
  Knobs& knobs = spec.knobs;
  spec.rate_hz = 44'100;
  spec.adapter = u"High Definition Audio Device";
  knobs.standard_period = 101'587;  // 448 frames
  knobs.align_bytes = 128;
  knobs.fundamental_frames = 4;
  knobs.least_frames = 48;
  knobs.event_jitter = std::chrono::microseconds{30};
  knobs.exclusive.layouts = {Layout::int16, Layout::int24_in_32};
  knobs.exclusive.masks = MaskRule::not_zero;
  knobs.exclusive.plain16 = PlainRule::refused;
}

void be_usb1(EndpointSpec& spec) {
  Knobs& knobs = spec.knobs;
  spec.adapter = u"USB Audio Device";
  spec.device_layout = Layout::int16;
  knobs.small_periods = SmallPeriods::work;
  knobs.fundamental_frames = knobs.least_frames = 480;
  knobs.event_clump = milliseconds{1};
  knobs.triples_after = minutes{15};
  knobs.exclusive.layouts = {Layout::int16, Layout::int24};
  knobs.exclusive.rates_hz = {44'100, 48'000};
  knobs.busy_after_exclusive = milliseconds{19};
}

void be_usb2(EndpointSpec& spec) {
  Knobs& knobs = spec.knobs;
  spec.adapter = u"Pro Interface USB Audio";
  spec.channels = 8;
  knobs.fundamental_frames = knobs.least_frames = 480;
  knobs.exclusive.layouts = {Layout::int24, Layout::int24_in_32};
  knobs.exclusive.rates_hz = {44'100, 48'000, 88'200, 96'000, 176'400, 192'000};
  knobs.exclusive.channels = {8};
  knobs.exclusive.masks = MaskRule::only_zero;
  knobs.exclusive.plain16 = PlainRule::refused;
}

void be_hdmi(EndpointSpec& spec) {
  spec.adapter = u"Display Audio";
  spec.form_factor = 9;
  spec.knobs.absent_on_resume = std::chrono::seconds{5};
  spec.channels = 8;
  spec.knobs.fundamental_frames = spec.knobs.least_frames = 480;
  spec.knobs.exclusive.layouts = {Layout::int16, Layout::int24_in_32};
  spec.knobs.exclusive.channels = {2, 8};
}

void be_wine(EndpointSpec& spec) {
  Knobs& knobs = spec.knobs;
  spec.adapter = u"Wine PulseAudio";
  spec.container = Guid{};  // the property is missing
  knobs.small_periods = SmallPeriods::not_implemented;
  knobs.fundamental_frames = knobs.least_frames = 480;
  knobs.exclusive_allowed = spec.flow == Flow::capture;
  knobs.exclusive.layouts.clear();
  knobs.stream_latency = 200'000;
  knobs.shared_buffer_is_three_periods = true;
  knobs.shared_takes_any_rate = true;
  knobs.unknown_release_flag_passes = true;
  knobs.event_jitter = milliseconds{6};
  knobs.position_inaccurate = 0;
  knobs.stamps_arrival = true;
}

}  // namespace

Hr hr_of(LossCode code) noexcept {
  switch (code) {
    case LossCode::invalidated: return kDeviceInvalidated;
    case LossCode::resources: return kResourcesInvalidated;
    case LossCode::service: return kServiceNotRunning;
    case LossCode::silent: return kOk;
  }
  return kDeviceInvalidated;
}

const char* personality_name(Personality personality) noexcept {
  switch (personality) {
    case Personality::plain: return "plain";
    case Personality::hda16: return "hda16";
    case Personality::hda_alc236_2017: return "hda_alc236_2017";
    case Personality::usb_uac1: return "usb_uac1";
    case Personality::usb_uac2_pro: return "usb_uac2_pro";
    case Personality::virtual_cable: return "virtual_cable";
    case Personality::hdmi: return "hdmi";
    case Personality::bluetooth: return "bluetooth";
    case Personality::low_latency_shared: return "low_latency_shared";
    case Personality::no_small_buffer: return "no_small_buffer";
    case Personality::corporate: return "corporate";
    case Personality::wine8: return "wine8";
    case Personality::liar: return "liar";
  }
  return "unknown";
}

EndpointSpec make_spec(Personality personality, Flow flow) {
  EndpointSpec spec;
  spec.flow = flow;
  spec.form_factor = flow == Flow::render ? 1 : 4;
  Knobs& knobs = spec.knobs;
  switch (personality) {
    case Personality::plain: break;
    case Personality::hda16: be_hda(spec); break;
    case Personality::hda_alc236_2017:
      be_hda(spec);
      knobs.exclusive.plain24_lie = true;
      break;
    case Personality::usb_uac1: be_usb1(spec); break;
    case Personality::usb_uac2_pro: be_usb2(spec); break;
    case Personality::virtual_cable:
      spec.adapter = u"Virtual Cable";
      knobs.every_packet_discontinuity = true;
      knobs.offset_ppm = 83;
      knobs.event_jitter = milliseconds{1};
      break;
    case Personality::hdmi: be_hdmi(spec); break;
    case Personality::bluetooth:
      spec.adapter = u"Bluetooth Headset";
      spec.form_factor = 5;
      knobs.fundamental_frames = knobs.least_frames = 480;
      knobs.exclusive_refusal = kEndpointCreateFailed;
      knobs.event_jitter = milliseconds{2};
      break;
    case Personality::low_latency_shared: break;  // 480, 16, 128, 480: the defaults
    case Personality::no_small_buffer: knobs.fundamental_frames = knobs.least_frames = 480; break;
    case Personality::corporate:
      knobs.exclusive_allowed = false;
      knobs.capture_allowed = false;
      break;
    case Personality::wine8: be_wine(spec); break;
    case Personality::liar: knobs.exclusive.liar = 0.1; break;
  }
  return spec;
}

}  // namespace asiodrv::devices::wasapi::fake
