// What calibrations are kept as, and what they make of a latency.
#include "service/corrections.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/wire/control.hpp"
#include "service/paths.hpp"

namespace asiodrv::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Correction correction(std::uint32_t rate, std::uint32_t period, double frames) {
  return {{"box-1", "", SampleRate{rate}, Frames{period}}, "Böx", frames};
}

ports::DeviceLatency latency(std::uint32_t input, std::uint32_t output) {
  return {Frames{input}, Frames{output}};
}

void expect_latency(const ports::DeviceLatency& found, std::uint32_t input, std::uint32_t output) {
  EXPECT_EQ(found.input.count, input);
  EXPECT_EQ(found.output.count, output);
}

TEST(corrections, each_direction_gets_half_and_the_output_the_odd_frame) {
  expect_latency(corrected(latency(10, 20), 0), 10, 20);
  expect_latency(corrected(latency(10, 20), 8), 14, 24);
  expect_latency(corrected(latency(10, 20), 7), 13, 24);
  expect_latency(corrected(latency(10, 20), -7), 7, 16);
  expect_latency(corrected(latency(0, 0), 203), 101, 102);
}

TEST(corrections, a_fraction_is_rounded_once_for_the_sum) {
  for (const double frames : {10.4, 10.5, 10.6, -10.4, -10.6}) {
    const auto found = corrected(latency(50, 50), frames);
    EXPECT_EQ(found.input.count + found.output.count,
              static_cast<std::uint32_t>(100 + std::llround(frames)));
  }
}

TEST(corrections, no_latency_becomes_negative_and_the_sum_stays_as_long_as_it_can) {
  expect_latency(corrected(latency(2, 20), -10), 0, 12);
  expect_latency(corrected(latency(20, 2), -10), 12, 0);
  expect_latency(corrected(latency(3, 4), -100), 0, 0);
  expect_latency(corrected(latency(0, 0), -1), 0, 0);
}

TEST(corrections, hostile_amounts_change_nothing) {
  for (const double frames :
       {1e300, -1e300, std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN(), Corrections::kLargest + 1}) {
    expect_latency(corrected(latency(5, 6), frames), 5, 6);
    Corrections corrections;
    EXPECT_FALSE(corrections.set(correction(48'000, 64, frames)));
    EXPECT_TRUE(corrections.all().empty());
  }
}

TEST(corrections, one_holds_for_its_device_mode_rate_and_period_alone) {
  Corrections corrections;
  ASSERT_TRUE(corrections.set(correction(48'000, 64, 12.5)));
  CorrectionKey key = correction(48'000, 64, 0).key;
  ASSERT_NE(corrections.find(key), nullptr);
  EXPECT_EQ(corrections.find(key)->frames, 12.5);
  const auto unknown = [&](auto change) {
    CorrectionKey other = key;
    change(other);
    return corrections.find(other) == nullptr;
  };
  EXPECT_TRUE(unknown([](CorrectionKey& other) { other.device = "box-2"; }));
  EXPECT_TRUE(unknown([](CorrectionKey& other) { other.mode = "shared"; }));
  EXPECT_TRUE(unknown([](CorrectionKey& other) { other.rate = SampleRate{44'100}; }));
  EXPECT_TRUE(unknown([](CorrectionKey& other) { other.period = Frames{128}; }));
  ASSERT_TRUE(corrections.set(correction(48'000, 64, -3)));
  EXPECT_EQ(corrections.all().size(), 1U);
  EXPECT_EQ(corrections.find(key)->frames, -3);
}

TEST(corrections, forgetting_takes_what_was_named) {
  Corrections all;
  for (const std::uint32_t rate : {44'100U, 48'000U}) {
    for (const std::uint32_t period : {64U, 128U}) {
      ASSERT_TRUE(all.set(correction(rate, period, 1)));
    }
  }
  Corrections some = all;
  EXPECT_EQ(some.forget("box-1", {}, Frames{64}), 2U);
  EXPECT_EQ(some.forget("box-1", SampleRate{48'000}, {}), 1U);
  EXPECT_EQ(some.all().size(), 1U);
  EXPECT_EQ(all.forget("box-2", {}, {}), 0U);
  EXPECT_EQ(all.forget("box-1", {}, {}), 4U);
}

TEST(corrections, there_is_a_limit) {
  Corrections corrections;
  for (std::uint32_t i = 0; i < Corrections::kMost; ++i) {
    ASSERT_TRUE(corrections.set(correction(48'000, i + 1, 1)));
  }
  const auto one_more = corrections.set(correction(44'100, 1, 1));
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error().code, ErrorCode::limit_reached);
  EXPECT_TRUE(corrections.set(correction(48'000, 1, 2)));
}

// --- the file ------------------------------------------------------------------------------------

class corrections_file : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("corrections-") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    path = (folder_ / "calibration.json").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& text) const {
    fs::create_directories(folder_);
    std::ofstream(path, std::ios::binary) << text;
  }

  std::string path;

 private:
  fs::path folder_;
};

TEST_F(corrections_file, what_is_written_is_read_again_with_its_fraction) {
  Corrections corrections;
  ASSERT_TRUE(corrections.set(correction(48'000, 64, 203.1875)));
  ASSERT_TRUE(corrections.set(correction(96'000, 128, -0.1)));
  ASSERT_TRUE(save_corrections(path, corrections));
  const LoadedCorrections loaded = load_corrections(path);
  EXPECT_EQ(loaded.warning, "");
  ASSERT_EQ(loaded.corrections.all().size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(loaded.corrections.all()[i].key, corrections.all()[i].key);
    EXPECT_EQ(loaded.corrections.all()[i].name, "Böx");
    EXPECT_EQ(loaded.corrections.all()[i].frames, corrections.all()[i].frames);
  }
}

TEST_F(corrections_file, a_missing_one_is_an_empty_one) {
  const LoadedCorrections loaded = load_corrections(path);
  EXPECT_TRUE(loaded.keep);
  EXPECT_EQ(loaded.warning, "");
  EXPECT_TRUE(loaded.corrections.all().empty());
}

TEST_F(corrections_file, a_hostile_one_is_refused_as_a_whole_named_and_put_aside) {
  const std::string good = R"({"device":"a","name":"A","mode":"","rate_hz":48000,)"
                           R"("period_frames":64,"correction_frames":1})";
  const auto file = [](const std::string& entries) {
    return R"({"version":1,"corrections":[)" + entries + "]}";
  };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string entry = good;
    return file(good + "," + entry.replace(entry.find(from), from.size(), to));
  };
  const std::pair<std::string, const char*> table[]{
      {"", "line 1"},
      {"{\n\n\"version\":", "line 3"},
      {"[]", "calibration.json"},
      {R"({"version":2,"corrections":[]})", "version"},
      {R"({"version":1})", "corrections"},
      {file(good + "," + good), "corrections[1]"},
      {changed(R"("device":"a")", R"("device":7)"), "corrections[1]"},
      {changed(R"("rate_hz":48000)", R"("rate_hz":0)"), "rate_hz"},
      {changed(R"("rate_hz":48000)", R"("rate_hz":-1)"), "rate_hz"},
      {changed(R"("period_frames":64)", R"("period_frames":64.5)"), "period_frames"},
      {changed(R"("mode":"")", R"("mod":"")"), "mode"},
      {changed(R"("correction_frames":1)", R"("correction_frames":"1")"), "correction_frames"},
      {changed(R"("correction_frames":1)", R"("correction_frames":1e300)"), "correction_frames"},
      {changed(R"("correction_frames":1)", R"("correction_frames":null)"), "correction_frames"},
      {file("7"), "corrections[0]"},
      {std::string(200'000, '['), "calibration.json"}};
  for (const auto& [text, part] : table) {
    write(text);
    const LoadedCorrections loaded = load_corrections(path);
    EXPECT_TRUE(loaded.corrections.all().empty()) << text.substr(0, 200);
    EXPECT_NE(loaded.warning.find(part), std::string::npos) << part << ": " << loaded.warning;
    EXPECT_TRUE(loaded.keep);
    EXPECT_FALSE(fs::exists(path));
    std::ostringstream kept;
    kept << std::ifstream(path + ".bad", std::ios::binary).rdbuf();
    EXPECT_EQ(kept.str(), text);
  }
}

TEST_F(corrections_file, a_device_of_many_has_an_id_of_any_length_and_any_name) {
  Correction written = correction(48'000, 64, 203);
  written.key.device = "combined:" + std::string(8 * 2 * wire::kMaxNameBytes, 'i');
  written.name.assign(wire::kMaxNameBytes + 1, 'n');
  Corrections corrections;
  ASSERT_TRUE(corrections.set(written));
  ASSERT_TRUE(save_corrections(path, corrections));
  const LoadedCorrections loaded = load_corrections(path);
  EXPECT_EQ(loaded.warning, "");
  EXPECT_NE(loaded.corrections.find(written.key), nullptr);
}

TEST_F(corrections_file, what_cannot_be_read_is_not_written_over) {
  fs::create_directories(path);  // a folder in its place
  const LoadedCorrections loaded = load_corrections(path);
  EXPECT_FALSE(loaded.keep);
  EXPECT_NE(loaded.warning, "");
  EXPECT_TRUE(fs::is_directory(path));
}

TEST(calibration_path, lies_beside_the_configuration_each_instance_for_itself) {
  EXPECT_EQ(calibration_path("/a/b/config.toml", ""), "/a/b/calibration.json");
  EXPECT_EQ(calibration_path("C:\\x\\config.toml", "two"), "C:\\x\\calibration-two.json");
  EXPECT_EQ(calibration_path("", "two"), "");
}

}  // namespace
}  // namespace asiodrv::service
