// The routing file: what is written is read again, and what is damaged hurts nobody.
#include "service/studio_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/wire/control.hpp"
#include "service/paths.hpp"
#include "service/testing/studio_world.hpp"
#include "tests/support/text.hpp"

namespace asiodrv::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::contains;
using testing::connect;
using testing::make_studio;
using testing::with_gain;

class studio_file : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(::testing::TempDir()) /
        (std::string("studio-") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    path = (folder_ / "deeper" / "routing.json").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& text) const {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  [[nodiscard]] static std::string read(const std::string& from) {
    std::ostringstream text;
    text << std::ifstream(from, std::ios::binary).rdbuf();
    return text.str();
  }
  [[nodiscard]] LoadedStudio load() const { return load_studio(path, {"box-1", "Box", 4, 2}); }

  std::string path;

 private:
  fs::path folder_;
};

Studio full_studio() {
  Studio studio = make_studio({{"Talk", 2}, {"Söngs", 3}});
  RouteChange change = with_gain(-6.5);
  change.mute = change.solo = change.invert = true;
  EXPECT_TRUE(connect(studio, "in:1", "Talk:1", change));
  EXPECT_TRUE(
      connect(studio, "Talk:2", "Söngs:3", with_gain(-std::numeric_limits<double>::infinity())));
  EXPECT_TRUE(connect(studio, "daw.exe/out:3", "chat.exe/in:9"));
  EXPECT_TRUE(studio.save_snapshot("Show one"));
  EXPECT_TRUE(connect(studio, "in:4", "out:2"));
  return studio;
}

TEST_F(studio_file, everything_comes_back_and_nothing_lies_beside_the_file) {
  const Studio studio = full_studio();
  ASSERT_TRUE(save_studio(path, studio));
  ASSERT_TRUE(save_studio(path, studio));  // over itself
  const LoadedStudio loaded = load();
  EXPECT_EQ(loaded.warning, "");
  EXPECT_TRUE(loaded.keep);
  EXPECT_EQ(loaded.studio.to_json(), studio.to_json());
  EXPECT_EQ(loaded.studio.routes().size(), 4U);
  EXPECT_EQ(loaded.studio.snapshots().at("Show one").device_name, "Box");
  int files = 0;
  for ([[maybe_unused]] const auto& each : fs::directory_iterator(fs::path(path).parent_path())) {
    ++files;
  }
  EXPECT_EQ(files, 1);
}

TEST_F(studio_file, a_device_of_many_has_an_id_of_any_length_and_any_name) {
  Studio studio = full_studio();
  const DeviceShape many{"combined:" + std::string(8 * 2 * wire::kMaxNameBytes, 'i'),
                         std::string(wire::kMaxNameBytes + 1, 'n'), 4, 2};
  studio.set_device(many);
  EXPECT_TRUE(studio.save_snapshot("Show two"));
  ASSERT_TRUE(save_studio(path, studio));
  const LoadedStudio loaded = load();
  EXPECT_EQ(loaded.warning, "");
  ASSERT_EQ(loaded.studio.snapshots().count("Show two"), 1U);
  EXPECT_EQ(loaded.studio.snapshots().at("Show two").device_id, many.id);
}

TEST_F(studio_file, no_file_is_an_empty_studio) {
  const LoadedStudio loaded = load();
  EXPECT_EQ(loaded.warning, "");
  EXPECT_TRUE(loaded.keep);
  EXPECT_TRUE(loaded.studio.cables().empty());
  EXPECT_EQ(loaded.studio.device().id, "box-1");
}

TEST_F(studio_file, a_programs_channels_mean_the_same_after_the_device_was_exchanged) {
  ASSERT_TRUE(save_studio(path, full_studio()));
  const LoadedStudio loaded = load_studio(path, {"small", "Small", 1, 1});
  std::vector<std::string> texts;
  for (const auto& [ends, settings] : loaded.studio.routes()) {
    texts.push_back(loaded.studio.text(ends));
  }
  // out:3 was Talk 1 behind two outputs; in:9 was Söngs 3 behind four inputs.
  EXPECT_NE(std::find(texts.begin(), texts.end(), "daw.exe/out:2 -> chat.exe/in:6"), texts.end());
}

TEST_F(studio_file, damage_is_named_and_set_aside_and_the_service_goes_on) {
  struct Case {
    std::string text;
    std::string words;
  };
  const std::string route = R"({"from":"in:1","to":"out:1")";
  const auto file = [](const std::string& cables, const std::string& routes,
                       const std::string& snapshots) {
    return R"({"version":1,"cables":[)" + cables + R"(],"routes":[)" + routes +
           R"(],"snapshots":[)" + snapshots + "]}";
  };
  const Case cases[] = {
      {"", "line 1"},
      {"{\n\"version\": 1,\n\"cables\": [}\n", "line 3"},
      {"[]", "object"},
      {std::string("\0\0\0\0", 4), "line 1"},
      {std::string(100'000, '['), "line 1"},
      {R"({"version":1e999})", "too large"},
      {"{}", "\"version\""},
      {R"({"version":2})", "\"version\" is 2"},
      {R"({"version":1,"cables":5,"routes":[],"snapshots":[]})", "\"cables\""},
      {R"({"version":1,"cables":[],"snapshots":[]})", "\"routes\""},
      {file(R"({"name":"a","channels":0})", "", ""), "cables[0]: member \"channels\""},
      {file(R"({"name":"a:b","channels":1})", "", ""), "cables[0]"},
      {file(R"({"name":"a","channels":1},{"name":"A","channels":1})", "", ""), "cables[1]"},
      {file("", "7", ""), "routes[0]"},
      {file("", route + "},{\"from\":\"out:1\",\"to\":\"out:1\"}", ""), "routes[1]"},
      {file("", route + ",\"gain_db\":25}", ""), "routes[0]: member \"gain_db\""},
      {file("", route + ",\"gain_db\":\"loud\"}", ""), "routes[0]: member \"gain_db\""},
      {file("", route + ",\"mute\":1}", ""), "routes[0]: member \"mute\""},
      {file("", route + "}," + route + "}", ""), "routes[1]"},
      {file(R"({"name":"a","channels":1})", R"({"from":"a:1","to":"a:1"})", ""), "a:1 -> a:1"},
      {file("", "", R"({"name":"s","routes":[]})"), "snapshots[0]: device"},
      {file("", "", R"({"name":"s","device":{"id":"","name":""},"routes":[{}]})"),
       "snapshots[0]: routes[0]: member \"from\""},
      {file("", "", R"({"name":"","device":{"id":"","name":""},"routes":[]})"), "snapshots[0]"},
  };
  for (const Case& damaged : cases) {
    SCOPED_TRACE(damaged.text.substr(0, 80));
    write(damaged.text);
    const LoadedStudio loaded = load();
    EXPECT_TRUE(contains(loaded.warning, damaged.words)) << loaded.warning;
    EXPECT_TRUE(contains(loaded.warning, "routing.json.bad")) << loaded.warning;
    EXPECT_TRUE(loaded.studio.routes().empty());
    EXPECT_TRUE(loaded.studio.cables().empty());
    EXPECT_TRUE(loaded.keep);
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(read(path + ".bad"), damaged.text);
  }
}

/// A thread's stack on Windows has no room for a search that goes as deep as there are routes.
TEST_F(studio_file, cables_in_a_row_as_long_as_all_routes_are_searched_for_a_loop) {
  const auto row = [](bool closed) {
    std::string routes;
    for (std::size_t i = 0; i < Studio::kMaxRoutes; ++i) {
      const std::size_t next = closed && i + 1 == Studio::kMaxRoutes ? 0 : i + 1;
      if (i > 0) routes += ",";
      routes +=
          R"({"from":"c)" + std::to_string(i) + R"(:1","to":"c)" + std::to_string(next) + R"(:1"})";
    }
    return R"({"version":1,"cables":[],"routes":[)" + routes + R"(],"snapshots":[]})";
  };
  write(row(false));
  const LoadedStudio open = load();
  EXPECT_EQ(open.warning, "");
  EXPECT_EQ(open.studio.routes().size(), Studio::kMaxRoutes);
  write(row(true));
  const LoadedStudio closed = load();
  EXPECT_TRUE(contains(closed.warning, "c4094:1 -> c4095:1 -> c0:1"));
  EXPECT_TRUE(closed.studio.routes().empty());
}

/// Any shortened or altered file is either read or set aside; nothing else happens.
TEST_F(studio_file, a_file_cut_or_scribbled_over_anywhere_is_survived) {
  ASSERT_TRUE(save_studio(path, full_studio()));
  const std::string whole = read(path);
  for (std::size_t length = 0; length + 2 < whole.size(); length += 7) {
    write(whole.substr(0, length));
    EXPECT_NE(load().warning, "") << length;
  }
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string scribbled = whole;
    scribbled[at] = static_cast<char>(scribbled[at] ^ 0x15);
    write(scribbled);
    const LoadedStudio loaded = load();
    EXPECT_TRUE(loaded.warning.empty() || loaded.studio.routes().empty()) << at;
  }
}

TEST_F(studio_file, a_file_that_cannot_be_written_is_an_error_and_the_old_one_stays) {
  ASSERT_TRUE(save_studio(path, full_studio()));
  const std::string before = read(path);
  fs::create_directory(path + ".new");  // in the way of the fresh file
  const auto refused = save_studio(path, make_studio());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(contains(refused.error().message, path)) << refused.error().message;
  EXPECT_EQ(read(path), before);
}

TEST(routing_path, lies_beside_the_configuration_each_instance_for_itself) {
  EXPECT_EQ(routing_path("/a/b/config.toml", ""), "/a/b/routing.json");
  EXPECT_EQ(routing_path("/a/b/config.toml", "two"), "/a/b/routing-two.json");
  EXPECT_EQ(routing_path("C:\\x\\config.toml", ""), "C:\\x\\routing.json");
  EXPECT_EQ(routing_path("", "two"), "");
}

}  // namespace
}  // namespace asiodrv::service
