// What is remembered of sound devices, and how it is kept.
#include "service/endpoint_memory.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "service/paths.hpp"
#include "service/testing/config_folder.hpp"

namespace asiodrv::service {
namespace {

using devices::wasapi::Flow;

RememberedEndpoint remembered(Flow flow, const std::string& configured, const char* name = "Box") {
  return {flow, configured, {configured, name, "Speakers", "2- Böx", "{1}"}};
}

TEST(endpoint_memory, one_is_found_by_its_configured_id_in_its_own_direction) {
  EndpointMemory memory;
  EXPECT_TRUE(memory.note(remembered(Flow::render, "one")));
  EXPECT_TRUE(memory.note(remembered(Flow::capture, "two")));
  ASSERT_NE(memory.find(Flow::render, "one"), nullptr);
  EXPECT_EQ(memory.find(Flow::render, "one")->now.adapter, "2- Böx");
  EXPECT_EQ(memory.find(Flow::capture, "one"), nullptr);
  EXPECT_EQ(memory.find(Flow::render, "Box"), nullptr);
}

TEST(endpoint_memory, what_is_known_already_is_no_news_and_what_has_changed_is) {
  EndpointMemory memory;
  RememberedEndpoint endpoint = remembered(Flow::render, "one");
  EXPECT_TRUE(memory.note(endpoint));
  EXPECT_FALSE(memory.note(endpoint));
  endpoint.now.id = "new";
  EXPECT_TRUE(memory.note(endpoint));
  EXPECT_EQ(memory.all().size(), 1U);
  EXPECT_EQ(memory.find(Flow::render, "one")->now.id, "new");
}

TEST(endpoint_memory, beyond_the_limit_the_one_that_was_noted_longest_ago_is_forgotten) {
  EndpointMemory memory;
  for (std::size_t i = 0; i < EndpointMemory::kMost; ++i) {
    memory.note(remembered(Flow::render, std::to_string(i)));
  }
  EXPECT_FALSE(memory.note(remembered(Flow::render, "0"))) << "seen again";
  EXPECT_TRUE(memory.note(remembered(Flow::render, "one more")));
  EXPECT_EQ(memory.all().size(), EndpointMemory::kMost);
  EXPECT_NE(memory.find(Flow::render, "0"), nullptr);
  EXPECT_EQ(memory.find(Flow::render, "1"), nullptr);
}

TEST(endpoint_memory, what_could_not_be_read_again_is_left_out) {
  EndpointMemory memory;
  const std::string endless(10'000, 'x');
  EXPECT_FALSE(memory.note(remembered(Flow::render, "one", endless.c_str())));
  EXPECT_FALSE(memory.note(remembered(Flow::render, endless)));
  EXPECT_TRUE(memory.all().empty());
}

// --- the file ------------------------------------------------------------------------------------

TEST(endpoint_memory_file, what_is_written_is_read_again) {
  const testing::ConfigFolder folder;
  const std::string path = folder.file("endpoints.json");
  EXPECT_TRUE(load_endpoints(path).memory.all().empty());
  EXPECT_EQ(load_endpoints(path).warning, "");
  EndpointMemory memory;
  memory.note(remembered(Flow::render, "one"));
  memory.note(remembered(Flow::capture, "two"));
  ASSERT_TRUE(save_endpoints(path, memory));
  const LoadedEndpoints loaded = load_endpoints(path);
  EXPECT_EQ(loaded.warning, "");
  EXPECT_TRUE(loaded.keep);
  EXPECT_EQ(loaded.memory.all(), memory.all());
}

TEST(endpoint_memory_file, a_hostile_one_is_refused_as_a_whole_named_and_put_aside) {
  const std::string good = R"({"direction":"input","configured":"a","id":"a","name":"A",)"
                           R"("description":"","adapter":"","container":""})";
  const auto file = [](const std::string& entries) {
    return R"({"version":1,"endpoints":[)" + entries + "]}";
  };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string entry = good;
    return file(entry.replace(entry.find(from), from.size(), to));
  };
  const std::pair<std::string, const char*> table[]{
      {"", "line 1"},
      {"[]", "endpoints.json"},
      {R"({"version":2,"endpoints":[]})", "version"},
      {R"({"version":1})", "endpoints"},
      {file("7"), "endpoints[0]"},
      {file(good + "," + good), "endpoints[1]"},
      {changed("input", "both"), "direction"},
      {changed(R"("configured":"a")", R"("configured":7)"), "configured"},
      {changed(R"("name":"A",)", ""), "name"},
      {std::string(200'000, '['), "endpoints.json"}};
  const testing::ConfigFolder folder;
  for (const auto& [text, part] : table) {
    folder.write("endpoints.json", text);
    const LoadedEndpoints loaded = load_endpoints(folder.file("endpoints.json"));
    EXPECT_TRUE(loaded.memory.all().empty()) << text.substr(0, 200);
    EXPECT_NE(loaded.warning.find(part), std::string::npos) << part << ": " << loaded.warning;
    EXPECT_TRUE(loaded.keep);
    EXPECT_FALSE(folder.has("endpoints.json"));
    EXPECT_EQ(folder.read("endpoints.json.bad"), text);
  }
}

TEST(endpoint_memory_file, lies_beside_the_configuration_each_instance_for_itself) {
  EXPECT_EQ(endpoints_path("/a/b/config.toml", ""), "/a/b/endpoints.json");
  EXPECT_EQ(endpoints_path("C:\\x\\config.toml", "two"), "C:\\x\\endpoints-two.json");
  EXPECT_EQ(endpoints_path("", "two"), "");
}

}  // namespace
}  // namespace asiodrv::service
