// The torture on the fake driver: a good driver passes every case, and each fault is caught by the
// case that is made for it. Runs the real program, with its guard processes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/audio/wav_file.hpp"
#include "host/system.hpp"
#include "platform/platform.hpp"

namespace asiodrv::host {
namespace {

using Json = nlohmann::json;

std::string beside_us(const std::string& file) {
  const std::string self = platform::program_path();
  const std::filesystem::path path(std::u8string(self.begin(), self.end()));
  const std::u8string full = (path.parent_path() / file).u8string();
  return {full.begin(), full.end()};
}

#if defined(_WIN32)
const std::string kHost = "asio-host.exe";
const std::string kFake = "libasio-fake.dll";
void set_fake(const char* options) { _putenv_s("ASIODRV_FAKE", options); }
#else
const std::string kHost = "asio-host";
const std::string kFake = "libasio-fake.so";
void set_fake(const char* options) { setenv("ASIODRV_FAKE", options, 1); }
#endif

struct Ended {
  int exit_code = -1;
  Json json;
};

Ended run_host(std::vector<std::string> arguments, const char* fake_options = "") {
  set_fake(fake_options);
  arguments.insert(arguments.end(), {"--driver", beside_us(kFake), "--json", "-"});
  auto child = start_child(beside_us(kHost), arguments);
  if (!child) {
    ADD_FAILURE() << child.error().message;
    return {};
  }
  if (!(*child)->wait(std::chrono::minutes{5})) {
    ADD_FAILURE() << "asio-host did not end";
    return {};
  }
  return {(*child)->exit_code(), Json::parse((*child)->output(), nullptr, false)};
}

std::string result_of(const Ended& ended, const std::string& name) {
  for (const Json& one : ended.json["cases"]) {
    if (one["name"] == name) {
      return one["result"].get<std::string>() + ": " + one["reason"].get<std::string>();
    }
  }
  return "absent";
}

TEST(host_torture, a_good_driver_passes_every_case) {
  const Ended ended = run_host({"torture", "--loopback", "--with-panel"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.json["failed"], 0);
  EXPECT_EQ(ended.json["skipped"], 1) << "only kill-service has nothing to kill";
  for (const Json& one : ended.json["cases"]) {
    EXPECT_NE(one["result"], "fail") << one["name"] << ": " << one["reason"];
    EXPECT_GE(one["attempts"], 1) << one["name"];
  }
}

TEST(host_torture, each_fault_of_a_driver_is_caught_by_its_case) {
  struct Canary {
    const char* fault;
    const char* name;
    const char* reason;
  };
  for (const Canary& canary : {Canary{"any_channel=1", "bad-channels", "getChannelInfo"},
                               Canary{"crash_on_null=1", "null-pointers", "crashed"},
                               Canary{"keep_callbacks=1", "callbacks-scribbled", "crashed"},
                               Canary{"hang_in_stop=1", "stuck-callback", "took"},
                               Canary{"wrong_state=1", "wrong-state", "stop when prepared"},
                               Canary{"repeat_half_every=20", "protocol", "alternate"},
                               Canary{"drop_every=5", "output-ready-always", "came back wrong"},
                               Canary{"type=40", "output-ready-never", "sample type"}}) {
    const Ended ended = run_host({"torture", "--loopback", "--only", canary.name}, canary.fault);
    EXPECT_EQ(ended.exit_code, 1) << canary.fault;
    const std::string result = result_of(ended, canary.name);
    EXPECT_EQ(result.find("fail: "), 0U) << canary.fault << " " << result;
    EXPECT_NE(result.find(canary.reason), std::string::npos) << canary.fault << " " << result;
  }
}

TEST(host_torture, a_lenient_run_forgives_codes_and_not_crashes) {
  EXPECT_EQ(run_host({"torture", "--lenient", "--only", "bad-channels"}, "any_channel=1").exit_code,
            0);
  EXPECT_EQ(
      run_host({"torture", "--lenient", "--only", "null-pointers"}, "crash_on_null=1").exit_code,
      1);
}

TEST(host_program, probing_in_every_order_finds_a_good_driver_good) {
  const Ended ended = run_host({"probe"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.json["hosts"].size(), 3U);
  EXPECT_TRUE(ended.json["ok"].get<bool>());
  EXPECT_EQ(ended.json["device"]["sample_type"], "float32");
}

TEST(host_program, playing_fails_on_a_driver_that_asks_for_resets_without_end) {
  const std::string file = ::testing::TempDir() + "asiodrv-host-resets.wav";
  audio::WavAudio sound;
  sound.rate = {48'000};
  sound.channels.assign(1, std::vector<float>(4'800, 0.25F));
  ASSERT_TRUE(audio::write_wav_file(file, sound, audio::WavCoding::int16));
  EXPECT_EQ(run_host({"play", file, "--loop"}, "reset_every=2").exit_code, 1);
  EXPECT_EQ(run_host({"play", file}).exit_code, 0);
  std::remove(file.c_str());
}

TEST(host_program, a_recording_says_how_many_frames_were_lost) {
  const std::string file = ::testing::TempDir() + "asiodrv-host-lost.wav";
  const Ended whole = run_host({"record", file, "--seconds", "0.2"});
  EXPECT_EQ(whole.exit_code, 0);
  EXPECT_EQ(whole.json["lost_frames"], 0);
  const Ended broken = run_host({"record", file, "--seconds", "0.2"}, "skip_every=50");
  EXPECT_EQ(broken.exit_code, 0);
  EXPECT_GT(broken.json["lost_frames"].get<int>(), 0);
  std::remove(file.c_str());
}

/// What "asio-driver doctor" reads of it: exit code 0, and the last line.
TEST(host_program, a_driver_is_loaded_and_let_go_with_one_line_for_the_doctor) {
  const auto output_of = [](const std::vector<std::string>& arguments) -> std::string {
    set_fake("");
    auto child = start_child(beside_us(kHost), arguments);
    if (!child || !(*child)->wait(std::chrono::seconds{30})) return "none";
    std::string output = (*child)->exit_code() == 0 ? (*child)->output() : "failed";
    output.erase(std::remove(output.begin(), output.end(), '\r'), output.end());
    return output;
  };
  EXPECT_EQ(output_of({"load", "--driver", beside_us(kFake)}), "\nfine\n");
  EXPECT_EQ(output_of({"load", "--driver", beside_us(kFake), "--init"}), "\nfine\n");
  const std::string refused = output_of({"load", "--driver", beside_us("no-driver")});
  EXPECT_EQ(refused.find("\nrefused "), 0U) << refused;
  EXPECT_EQ(refused.find('\n', 1), refused.size() - 1) << "one line: " << refused;
  EXPECT_EQ(output_of({"load"}), "failed");
}

TEST(host_program, exit_codes_tell_usage_from_absence) {
  auto exit_code = [](const std::vector<std::string>& arguments) {
    auto child = start_child(beside_us(kHost), arguments);
    if (!child || !(*child)->wait(std::chrono::seconds{30})) return -1;
    return (*child)->exit_code();
  };
  EXPECT_EQ(exit_code({"--help"}), 0);
  EXPECT_EQ(exit_code({}), 2);
  EXPECT_EQ(exit_code({"measure", "--frames", "many"}), 2);
  EXPECT_EQ(exit_code({"measure", "--driver", "nobody"}), 3);
  EXPECT_EQ(exit_code({"play", "nowhere.wav", "--driver", "nobody"}), 1);
  EXPECT_EQ(exit_code({"torture", "--list"}), 0);
  EXPECT_EQ(exit_code({"torture", "--only", "no-such-case"}), 2);
}

}  // namespace
}  // namespace asiodrv::host
