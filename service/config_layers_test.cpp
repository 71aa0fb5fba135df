#include "service/config_layers.hpp"

#include <gtest/gtest.h>

#ifndef _WIN32
#include <unistd.h>
#endif

#include <nlohmann/json.hpp>

#include "service/testing/config_folder.hpp"
#include "tests/support/text.hpp"

namespace asiodrv::service {
namespace {

using test::contains;

class config_layers : public ::testing::Test {
 protected:
  testing::ConfigFolder folder;
};

TEST_F(config_layers, without_files_there_are_the_defaults_and_nothing_is_wrong) {
  const LoadedConfig loaded = load_layers(folder.places());
  EXPECT_EQ(to_json(loaded.config), to_json(Config{}));
  EXPECT_EQ(loaded.error, "");
  EXPECT_FALSE(loaded.loaded);
  EXPECT_EQ(loaded.path, folder.file("user.toml"));
  ASSERT_EQ(loaded.layers.size(), 3U);
  for (const ConfigLayer& layer : loaded.layers) EXPECT_EQ(layer.state, LayerState::absent);
  EXPECT_TRUE(loaded.origins.empty());
}

TEST_F(config_layers, the_topmost_file_that_has_a_key_says_its_value) {
  folder.write("vendor.toml", "[driver]\nmin_frames = 16\nmax_frames = 512\n[engine]\nspin_us = 1");
  folder.write("machine.toml", "[driver]\nmax_frames = 1024\n[service]\nidle_seconds = 60");
  folder.write("user.toml", "[engine]\nspin_us = 3");
  const LoadedConfig loaded = load_layers(folder.places());
  EXPECT_EQ(loaded.error, "");
  EXPECT_TRUE(loaded.loaded);
  EXPECT_EQ(loaded.config.min_frames.count, 16U);
  EXPECT_EQ(loaded.config.max_frames.count, 1024U);
  EXPECT_EQ(loaded.config.idle_seconds, 60U);
  EXPECT_EQ(loaded.config.spin_us, 3U);
  EXPECT_EQ(loaded.config.preferred_frames.count, 64U);
  const ConfigOrigins expected{{"driver.min_frames", folder.file("vendor.toml")},
                               {"driver.max_frames", folder.file("machine.toml")},
                               {"service.idle_seconds", folder.file("machine.toml")},
                               {"engine.spin_us", folder.file("user.toml")}};
  EXPECT_EQ(loaded.origins, expected);
}

TEST_F(config_layers, a_named_file_replaces_machine_and_user_and_not_the_vendor) {
  folder.write("vendor.toml", "[driver]\nmin_frames = 16");
  folder.write("machine.toml", "[engine]\nspin_us = 7");
  folder.write("user.toml", "[engine]\nspin_us = 8");
  folder.write("named.toml", "[service]\nidle_seconds = 1");
  const LoadedConfig loaded = load_layers(folder.named_places());
  EXPECT_EQ(loaded.error, "");
  EXPECT_TRUE(loaded.loaded);
  EXPECT_EQ(loaded.config.min_frames.count, 16U);
  EXPECT_EQ(loaded.config.spin_us, 20U);
  EXPECT_EQ(loaded.config.idle_seconds, 1U);
  EXPECT_EQ(loaded.layers.size(), 2U);
}

TEST_F(config_layers, a_named_file_must_be_there) {
  const LoadedConfig loaded = load_layers(folder.named_places());
  EXPECT_FALSE(loaded.loaded);
  EXPECT_TRUE(contains(loaded.error, "named.toml cannot be read")) << loaded.error;
}

TEST_F(config_layers, a_wrong_file_is_left_out_as_a_whole_and_the_others_hold) {
  folder.write("vendor.toml", "[driver]\nmin_frames = 16");
  folder.write("machine.toml", "[engine]\nspin_us = 5\n[driver]\nmax_frames = 100");
  folder.write("user.toml", "[service]\nidle_seconds = 9");
  const LoadedConfig loaded = load_layers(folder.places());
  EXPECT_EQ(loaded.error, folder.file("machine.toml") +
                              ":4: driver.max_frames must be a power of two from 16 to 8192.");
  EXPECT_EQ(loaded.config.min_frames.count, 16U);
  EXPECT_EQ(loaded.config.spin_us, 20U);
  EXPECT_EQ(loaded.config.idle_seconds, 9U);
  EXPECT_TRUE(loaded.loaded);
  EXPECT_EQ(loaded.layers[1].state, LayerState::refused);
  EXPECT_EQ(loaded.layers[1].error, loaded.error);
  EXPECT_FALSE(loaded.origins.contains("engine.spin_us"));
}

/// Each is right alone; the upper one is to blame.
TEST_F(config_layers, what_does_not_fit_the_files_below_is_refused_in_the_upper_one) {
  folder.write("machine.toml", "[driver]\nmax_frames = 128");
  folder.write("user.toml", "\n[driver]\npreferred_frames = 256");
  const LoadedConfig loaded = load_layers(folder.places());
  EXPECT_TRUE(contains(loaded.error, "user.toml:2: driver.preferred_frames (256) must lie between"))
      << loaded.error;
  EXPECT_EQ(loaded.config.max_frames.count, 128U);
  EXPECT_EQ(loaded.config.preferred_frames.count, 64U);
}

TEST_F(config_layers, members_of_an_upper_file_replace_those_below) {
  folder.write("machine.toml",
               "[device]\nbackend = 'combined'\n[[member]]\noutput = 'A'\n[[member]]\n");
  folder.write("user.toml", "[[member]]\noutput = 'X'\n[[member]]\n[[member]]\n");
  const LoadedConfig loaded = load_layers(folder.places());
  EXPECT_EQ(loaded.error, "");
  ASSERT_EQ(loaded.config.members.size(), 3U);
  EXPECT_EQ(loaded.config.members[0].wasapi.output, "X");
  EXPECT_EQ(loaded.origins.at("member"), folder.file("user.toml"));
  EXPECT_EQ(loaded.origins.at("device.backend"), folder.file("machine.toml"));
}

TEST_F(config_layers, too_few_members_over_a_combined_device_name_the_members) {
  folder.write("machine.toml", "[device]\nbackend = 'combined'\n[[member]]\n[[member]]\n");
  folder.write("user.toml", "\n\n[[member]]\n");
  const LoadedConfig loaded = load_layers(folder.places());
  EXPECT_TRUE(contains(loaded.error, "user.toml:3: device.backend = \"combined\" needs 2 to 8"))
      << loaded.error;
}

TEST_F(config_layers, relative_file_names_are_beside_the_file_that_has_them) {
  folder.write("vendor.toml", "[simulated]\nplayer = 'in.wav'");
  const LoadedConfig loaded = load_layers(folder.places());
  EXPECT_EQ(path_of(loaded.config.simulated.player), path_of(folder.file("in.wav")));
}

TEST_F(config_layers, mistakes_of_all_files_are_told) {
  for (const char* const name : {"vendor.toml", "machine.toml", "user.toml"}) {
    folder.write(name, "[engine]\nspin_us = 'x'");
  }
  const LoadedConfig loaded = load_layers(folder.places());
  for (const char* const name : {"vendor.toml:2:", "machine.toml:2:", "user.toml:2:"}) {
    EXPECT_TRUE(contains(loaded.error, name)) << loaded.error;
  }
  EXPECT_EQ(to_json(loaded.config), to_json(Config{}));
  const nlohmann::json files = layers_json(loaded);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0]["layer"], "vendor");
  EXPECT_EQ(files[2]["state"], "refused");
}

#ifndef _WIN32
TEST_F(config_layers, a_working_folder_that_is_gone_stops_nobody) {
  namespace fs = std::filesystem;
  const fs::path before = fs::current_path();
  const fs::path gone = path_of(folder.file("gone"));
  fs::create_directory(gone);
  fs::current_path(gone);
  fs::remove(gone);
  const ConfigPlaces places = config_places("x.toml");
  const auto parsed = parse_config("[simulated]\nplayer = 'in.wav'", "x.toml");
  fs::current_path(before);
  EXPECT_EQ(places.top, "x.toml");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->simulated.player, "in.wav");
}

/// Windows lets every user make folders and files below ProgramData: what one of them writes there
/// must not choose the files that another's service writes.
TEST_F(config_layers, a_machines_file_that_a_stranger_may_have_made_is_not_read) {
  constexpr uid_t kStranger = 12'345;
  ConfigPlaces places = folder.places();
  places.machine = folder.file("machine/config.toml");
  std::filesystem::create_directory(path_of(folder.file("machine")));
  folder.write("machine/config.toml", "[simulated]\nrecorder = 'x.wav'\n");
  folder.write("user.toml", "[engine]\nspin_us = 3");
  EXPECT_EQ(load_layers(places).layers[1].state, LayerState::used);
  if (chown(places.machine.c_str(), kStranger, static_cast<gid_t>(-1)) != 0) {
    GTEST_SKIP() << "this account cannot make another one the owner, as it should be";
  }
  const auto is_left_alone = [&] {
    const LoadedConfig loaded = load_layers(places);
    EXPECT_EQ(loaded.layers[1].state, LayerState::foreign);
    EXPECT_TRUE(contains(loaded.layers[1].error, places.machine)) << loaded.layers[1].error;
    EXPECT_EQ(loaded.config.simulated.recorder, "");
    EXPECT_EQ(loaded.config.spin_us, 3U);
    EXPECT_EQ(loaded.error, "") << "a stranger could stop this user's service";
  };
  is_left_alone();
  const std::string machine = folder.file("machine");
  ASSERT_EQ(chown(places.machine.c_str(), geteuid(), static_cast<gid_t>(-1)), 0);
  ASSERT_EQ(chown(machine.c_str(), kStranger, static_cast<gid_t>(-1)), 0);
  is_left_alone();
  EXPECT_EQ(layers_json(load_layers(places))[1]["state"], "foreign");
}
#endif

TEST_F(config_layers, a_text_can_be_judged_before_it_is_a_file) {
  folder.write("machine.toml", "[driver]\nmax_frames = 128");
  EXPECT_TRUE(judge_layers(folder.places(), "[engine]\nspin_us = 1").loaded);
  EXPECT_FALSE(judge_layers(folder.places(), "[driver]\nmin_frames = 256").loaded);
  EXPECT_FALSE(folder.has("user.toml"));
}

TEST_F(config_layers, the_vendors_file_lies_beside_the_program) {
  const ConfigPlaces places = config_places("");
  EXPECT_FALSE(places.named);
  EXPECT_EQ(path_of(places.vendor).parent_path(), path_of(platform::program_path()).parent_path());
  EXPECT_EQ(path_of(places.vendor).filename(), "vendor.toml");
  EXPECT_TRUE(config_places("x.toml").named);
  EXPECT_TRUE(path_of(config_places("x.toml").top).is_absolute());
}

}  // namespace
}  // namespace asiodrv::service
