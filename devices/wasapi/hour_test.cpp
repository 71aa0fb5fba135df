// Each personality plays an hour of virtual time through the device, exclusive and not, with the
// mishaps that it is known for, while what arrives is followed frame by frame at the converter and
// through a wire from output to input.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "devices/wasapi/device_test_bench.hpp"
#include "devices/wasapi/hour_checkers.hpp"

namespace asiodrv::devices::wasapi {
namespace {

using fake::Personality;
using ports::PeriodStatus;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Bench;
using test::BreakLedger;
using test::LatencyWatch;
using test::tag_of;
using test::TagWatch;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kDefaultMinutes = 1;
constexpr bool kExclusiveToo = false;  // ten times as slow
#else
constexpr int kDefaultMinutes = 5;
constexpr bool kExclusiveToo = true;
#endif

/// How long each plays. Shorter than an hour, so that all tests together stay short;
/// ASIODRV_VIRTUAL_MINUTES=60 plays the hour.
int virtual_minutes() {
  const char* wish = std::getenv("ASIODRV_VIRTUAL_MINUTES");
  const int wished = wish != nullptr ? std::atoi(wish) : 0;
  return wished > 0 ? wished : kDefaultMinutes;
}

/// What a canary does to the sound, in the last second but some.
enum class Sabotage {
  none,
  repeat_a_period,
  leave_one_out,
  silence_one,
  hide_the_reports,
  misreport
};

class Hour {
 public:
  Hour(Personality personality, bool exclusive, nanoseconds length, Sabotage sabotage)
      : personality_(personality), exclusive_(exclusive), length_(length), sabotage_(sabotage) {
    bench_.plug(personality, [this](fake::EndpointSpec& spec) {
      if (spec.knobs.triples_after.count() > 0) spec.knobs.triples_after = length_ / 4;
    });
    bench_.in->wire_from(bench_.out, 0);
    WasapiOptions options;
    options.prefer_exclusive = exclusive;
    options.render = "Speakers";
    options.capture = "Microphone";
    const auto made = bench_.make(options);
    EXPECT_TRUE(made) << made.error().message;
  }

  void play() {
    if (!bench_.device) return;
    choose_format();
    if (!reopen()) return;
    const Instant begin = bench_.world.now();
    schedule_mishaps(begin);
    Instant next_look = begin + seconds{1};
    while (bench_.world.now() - begin < length_) {
      if (!serve() && !reopen()) return;
      if (bench_.world.now() < next_look) continue;
      look();
      next_look = bench_.world.now() + milliseconds{500};
    }
    look();
  }

  std::vector<std::string> complaints() const {
    std::vector<std::string> found;
    const auto complain = [&found](bool wrong, std::string text) {
      if (wrong) found.push_back(std::move(text));
    };
    const auto rate = static_cast<double>(bench_.format.rate.hz);
    const double played = static_cast<double>(out_.heard()) / rate;
    const double wanted = std::chrono::duration<double>(length_).count();
    complain(played < 0.5 * wanted,
             fmt::format("only {:.1f} s of {:.1f} s were played", played, wanted));
    for (const auto& [name, watch] : {std::pair{"output", &out_}, std::pair{"wire", &in_}}) {
      // An exclusive stream that is late is played again by the hardware: reported, like any break.
      complain(watch->stale() > 0 && !exclusive_,
               fmt::format("{}: {} stale frames", name, watch->stale()));
      complain(watch->foreign() > 0, fmt::format("{}: {} damaged frames", name, watch->foreign()));
    }
    complain(out_ledger_.unreported() + in_ledger_.unreported() > 0,
             fmt::format("unreported breaks: {} played, {} heard", out_ledger_.unreported(),
                         in_ledger_.unreported()));
    complain(losses_ < expected_losses_,
             fmt::format("{} losses reported, {} happened", losses_, expected_losses_));
    complain(recoveries_ != losses_, fmt::format("{} losses, {} recoveries", losses_, recoveries_));
    complain(latency_.wrong() > 0,
             fmt::format("reported latency wrong {} times of {}, by up to {}", latency_.wrong(),
                         latency_.taken(), latency_.worst()));
    complain(wired() && latency_.taken() == 0, "no latency was ever compared");
    return found;
  }

  std::string summary() const {
    return fmt::format(
        "{} at {} frames: {:.0f} s played, {} losses, {} periods lost, {} gaps; played with {} "
        "breaks, heard with {}; latency off by {} frames at most ({} times compared)",
        personality_name(personality_), bench_.format.period.count,
        static_cast<double>(out_.heard()) / bench_.format.rate.hz, losses_, bench_.lost,
        bench_.gaps, out_.breaks(), in_.breaks(), latency_.worst(), latency_.taken());
  }

 private:
  [[nodiscard]] bool wired() const { return personality_ != Personality::corporate; }

  void schedule_mishaps(Instant begin) {
    fake::Endpoint* const out = bench_.out;
    fake::Endpoint* const in = bench_.in;
    fake::World* const world = &bench_.world;
    const auto at = [begin, world](nanoseconds after, std::function<void()> action) {
      world->schedule(begin + after, std::move(action));
    };
    // Every cable is pulled once, and put back.
    at(length_ / 2, [out, in] { (out->unplug(), in->unplug()); });
    at(length_ / 2 + seconds{2}, [out, in] { (out->replug(), in->replug()); });
    expected_losses_ = 1;
    if (personality_ == Personality::hdmi) {
      for (int k : {1, 3}) at(length_ * k / 5, [world] { world->resume_storm(); });
      expected_losses_ += 2;
    }
    if (personality_ == Personality::bluetooth) {  // a call begins, and ends
      const auto change = [this, out, in](std::uint32_t rate_hz, std::uint16_t channels) {
        look();  // what was played is forgotten with the format
        out->change_format(rate_hz, channels);
        in->change_format(rate_hz, channels);
      };
      at(length_ / 5, [change] { change(16'000, 1); });
      at(length_ / 5 + seconds{5}, [change] { change(48'000, 2); });
      expected_losses_ += 2;
    }
  }

  /// After a loss, or for the first time: asks again and again, as the service does.
  bool reopen() {
    if (opened_) {
      EXPECT_NE(bench_.device->loss(), "");
      ++losses_;
      bench_.device->stop();
      bench_.device->close();
    }
    for (int tries = 0; tries < 100; ++tries) {
      const Result<> opened = bench_.device->open(bench_.format);
      if (opened && bench_.device->start()) {
        recoveries_ += opened_ ? 1 : 0;
        reports_ += 4;  // the way back; until it has settled the input may be cut without a report
        opened_ = true;
        settled_at_ = bench_.world.now() + seconds{2};
        return true;
      }
      bench_.device->close();
      if (!opened && opened.error().code == ErrorCode::format_refused) choose_format();
      bench_.world.advance(milliseconds{250});
    }
    ADD_FAILURE() << "did not come back: " << bench_.device->loss();
    return false;
  }

  /// About 10 ms, so that an hour takes seconds.
  void choose_format() {
    const ports::DeviceInfo& info = bench_.device->info();
    const auto rate = std::find(info.rates.begin(), info.rates.end(), info.default_rate);
    const ports::PeriodRange& range =
        info.periods[static_cast<std::size_t>(rate - info.rates.begin())];
    const std::uint32_t wish = info.default_rate.hz / 100 / range.step.count * range.step.count;
    bench_.format = {info.default_rate, {std::clamp(wish, range.least.count, range.most.count)}};
  }

  /// One period; false: lost.
  bool serve() {
    ports::DevicePeriod& period = bench_.period;
    const RtScope rt;
    if (bench_.device->wait_period(period) != PeriodStatus::ready) return false;
    ++bench_.periods;
    bench_.lost += period.lost;
    bench_.gaps += period.gap ? 1 : 0;
    if (period.lost > 0) disturbed(2 + 2 * period.lost);
    if (period.gap) disturbed(2);
    const std::uint32_t length = period.render.frames.count;
    hear();
    sabotage();
    for (std::uint32_t channel = 0; channel < period.render.channels; ++channel) {
      float* const block = period.render.channel(channel);
      if (channel > 0) {
        std::copy_n(period.render.channel(0), length, block);
        continue;
      }
      for (std::uint32_t i = 0; i < length; ++i) block[i] = mute_ ? 0 : tag_of(bench_.sent + i);
    }
    mute_ = false;
    bench_.sent += length;
    if (!bench_.device->commit()) {
      ++bench_.refused;
      disturbed(2);
    }
    return true;
  }

  void disturbed(std::uint64_t reports) {
    reports_ += reports;
    settled_at_ = bench_.world.now() + seconds{2};
  }

  void hear() {
    const ports::DevicePeriod& period = bench_.period;
    if (!wired() || period.capture.channels == 0) return;
    const float* const block = period.capture.channel(0);
    const std::uint32_t length = period.capture.frames.count;
    for (std::uint32_t i = 0; i < length; ++i) in_.take(block[i]);
    if (bench_.world.now() < settled_at_ || bench_.periods % 50 != 0 || !in_.known()) return;
    if (block[length - 1] == 0) return;
    // The tag that begins this block was sent so many frames ago.
    const auto now = static_cast<std::uint32_t>((bench_.sent + length) % test::kTags);
    const std::uint32_t measured = (now + test::kTags - in_.next()) % test::kTags;
    const ports::DeviceLatency reported = bench_.device->latency();
    const std::uint32_t extra = sabotage_ == Sabotage::misreport ? 2 * length : 0;
    latency_.take(measured, 2 * length + reported.input.count + reported.output.count + extra,
                  length);
  }

  void sabotage() {
    if (sabotage_ == Sabotage::none || ++served_ != 400) return;
    if (sabotage_ == Sabotage::repeat_a_period) bench_.sent -= bench_.format.period.count;
    if (sabotage_ == Sabotage::leave_one_out) bench_.sent += bench_.format.period.count;
    if (sabotage_ == Sabotage::silence_one) mute_ = true;
  }

  /// Takes what the converter has played since the last look, and settles the accounts.
  void look() {
    const fake::Recorder& recorder = bench_.out->recorder();
    for (std::uint64_t frame = std::max(cursor_, recorder.begin()); frame < recorder.end();
         ++frame) {
      out_.take(recorder.at(frame, 0));
    }
    cursor_ = recorder.end();
    const std::uint64_t reports = sabotage_ == Sabotage::hide_the_reports ? 0 : reports_;
    out_ledger_.look(out_.breaks() - out_breaks_, reports);
    in_ledger_.look(in_.breaks() - in_breaks_, reports);
    out_breaks_ = out_.breaks();
    in_breaks_ = in_.breaks();
    reports_ = 0;
  }

  const Personality personality_;
  const bool exclusive_;
  const nanoseconds length_;
  const Sabotage sabotage_;
  Bench bench_;
  TagWatch out_, in_;
  BreakLedger out_ledger_, in_ledger_;
  LatencyWatch latency_;
  std::uint64_t cursor_ = 0, out_breaks_ = 0, in_breaks_ = 0, reports_ = 0, served_ = 0;
  std::uint64_t losses_ = 0, expected_losses_ = 0, recoveries_ = 0;
  bool opened_ = false, mute_ = false;
  Instant settled_at_{};
};

// --- the hours -----------------------------------------------------------------------------------

struct Case {
  Personality personality;
  bool exclusive;
};

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  return std::string(personality_name(info.param.personality)) +
         (info.param.exclusive ? "_exclusive" : "_shared");
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Personality personality : fake::kPersonalities) {
    all.push_back({personality, false});
    if (kExclusiveToo) all.push_back({personality, true});
  }
  return all;
}

class wasapi_hour : public ::testing::TestWithParam<Case> {};

TEST_P(wasapi_hour, plays_with_every_break_reported_and_every_loss_mended) {
  const int length = virtual_minutes();
  if (length < 60) std::printf("NOT AN HOUR: %d virtual minutes are played in this tree\n", length);
  Hour hour(GetParam().personality, GetParam().exclusive, minutes{length}, Sabotage::none);
  hour.play();
  std::printf("%s\n", hour.summary().c_str());
  EXPECT_EQ(hour.complaints(), std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(personalities, wasapi_hour, ::testing::ValuesIn(cases()), case_name);

// --- canaries ------------------------------------------------------------------------------------

std::string complaints_about(Sabotage sabotage) {
  Hour hour(Personality::plain, false, seconds{10}, sabotage);
  hour.play();
  std::string text;
  for (const std::string& complaint : hour.complaints()) text += complaint + "\n";
  return text;
}

TEST(wasapi_hour_canary, a_sound_hour_has_no_complaints) {
  EXPECT_EQ(complaints_about(Sabotage::none), "");
}
TEST(wasapi_hour_canary, a_repeated_period_is_stale_sound_at_both_ends) {
  const std::string text = complaints_about(Sabotage::repeat_a_period);
  EXPECT_NE(text.find("output: 1 stale"), std::string::npos) << text;
  EXPECT_NE(text.find("wire: 1 stale"), std::string::npos) << text;
}
TEST(wasapi_hour_canary, a_period_left_out_is_an_unreported_break) {
  EXPECT_NE(complaints_about(Sabotage::leave_one_out).find("breaks: 1 played, 1 heard"),
            std::string::npos);
}
TEST(wasapi_hour_canary, a_period_of_silence_is_an_unreported_break) {
  EXPECT_NE(complaints_about(Sabotage::silence_one).find("breaks: 1 played, 1 heard"),
            std::string::npos);
}
TEST(wasapi_hour_canary, a_loss_that_nobody_reports_is_an_unreported_break) {
  EXPECT_NE(complaints_about(Sabotage::hide_the_reports).find("unreported"), std::string::npos);
}
TEST(wasapi_hour_canary, a_latency_that_is_off_by_two_periods_is_wrong) {
  EXPECT_NE(complaints_about(Sabotage::misreport).find("latency wrong"), std::string::npos);
}
TEST(wasapi_hour_canary, a_damaged_frame_is_noticed) {
  TagWatch watch;
  watch.take(tag_of(7));
  watch.take(tag_of(8) + 0x1p-17F);
  EXPECT_EQ(watch.foreign(), 1U);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
