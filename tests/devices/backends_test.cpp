// The devices that a configuration asks for, on a Windows made of arithmetic.
#include "service/backends.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "devices/wasapi/fake/endpoint.hpp"
#include "devices/wasapi/fake/world.hpp"
#include "devices/wasapi/text.hpp"
#include "platform/platform.hpp"
#include "service/testing/config_folder.hpp"

namespace asiodrv::service {
namespace {

namespace fake = devices::wasapi::fake;
using devices::wasapi::Flow;

class backends : public ::testing::Test {
 protected:
  ~backends() override {
    device.reset();
    com_.reset();
    EXPECT_EQ(world.violations(), std::vector<std::string>{});
    EXPECT_EQ(world.leaks(), std::vector<std::string>{});
  }
  fake::Endpoint& plug(Flow flow) {
    return world.add_endpoint(make_spec(fake::Personality::plain, flow));
  }
  Result<> make(const Config& config) {
    auto made = backends_.make(config);
    if (!made) return tl::unexpected<Error>(made.error());
    device = std::move(*made);
    return {};
  }
  Result<> open() {
    const ports::DeviceInfo& info = device->info();
    return device->open({info.default_rate, info.default_period});
  }

 private:
  std::unique_ptr<fake::World> owned_ = std::make_unique<fake::World>();
  std::unique_ptr<ports::Threads> threads_ = platform::make_threads();

 protected:
  fake::World& world = *owned_;

 private:
  std::shared_ptr<void> com_ = world.hold_com();  // as the process does all its life
  Backends backends_{world.clock(), *threads_, std::move(owned_),
                     [](LogLevel, const std::string&) {}};

 protected:
  std::unique_ptr<ports::Device> device;
};

TEST_F(backends, a_default_microphone_that_comes_after_the_start_is_taken) {
  plug(Flow::render);
  Config config;
  config.backend = Backend::wasapi;
  const Result<> made = make(config);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(device->info().output_channels, 2U);
  EXPECT_EQ(device->info().input_channels, 0U);
  ASSERT_TRUE(open());
  device->close();
  plug(Flow::capture);
  device->refresh();
  EXPECT_EQ(device->info().output_channels, 2U);
  EXPECT_EQ(device->info().input_channels, 2U);
  const Result<> opened = open();
  ASSERT_TRUE(opened) << opened.error().message;
  device->close();
}

TEST_F(backends, a_missing_microphone_is_looked_for_without_a_question_about_formats) {
  plug(Flow::render);
  Config config;
  config.backend = Backend::wasapi;
  config.wasapi.input = "Microphone of somebody else";
  config.wasapi.prefer_exclusive = true;
  ASSERT_TRUE(make(config));
  const std::uint64_t before = world.calls("client.is_format_supported");
  device->refresh();
  EXPECT_EQ(world.calls("client.is_format_supported"), before);
}

TEST_F(backends, a_combined_device_waits_for_no_microphone_that_was_not_named) {
  plug(Flow::render);
  Config config;
  config.backend = Backend::combined;
  config.members.resize(2);
  config.members[1].backend = Backend::simulated;
  const Result<> made = make(config);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(device->info().present);
  EXPECT_EQ(device->info().output_channels, 2U + config.simulated.outputs);
  EXPECT_EQ(device->info().input_channels, config.simulated.inputs);
}

TEST_F(backends, no_driver_is_asked_while_a_member_of_a_combined_device_is_missing) {
  plug(Flow::render);
  Config config;
  config.backend = Backend::combined;
  config.members.resize(2);
  config.members[1].wasapi.output = "{0.0.0.00000000}.{11111111-2222-3333-4444-555555555555}";
  config.members[1].wasapi.input.clear();
  ASSERT_TRUE(make(config));
  device->refresh();
  EXPECT_FALSE(device->info().present);
  EXPECT_EQ(world.calls("device.activate"), 0U);
  fake::EndpointSpec spec = make_spec(fake::Personality::plain, Flow::render);
  spec.id = u"{0.0.0.00000000}.{11111111-2222-3333-4444-555555555555}";
  world.add_endpoint(spec);
  device->refresh();
  EXPECT_TRUE(device->info().present);
  EXPECT_EQ(device->info().output_channels, 4U);
}

// --- one service after another -------------------------------------------------------------------

/// What a service makes of `configured` on a machine whose only output has the id `id`: whether it
/// is there. `memory`: a path, or empty.
bool is_found(const std::string& id, const std::string& configured, const std::string& memory) {
  auto owned = std::make_unique<fake::World>();
  fake::EndpointSpec spec = make_spec(fake::Personality::plain, Flow::render);
  spec.id = devices::wasapi::to_utf16(id);
  owned->add_endpoint(spec);
  const std::unique_ptr<ports::Threads> threads = platform::make_threads();
  ports::Clock& clock = owned->clock();
  Backends service(clock, *threads, std::move(owned), [](LogLevel, const std::string&) {});
  service.remember_in(memory);
  Config config;
  config.backend = Backend::wasapi;
  config.wasapi.output = configured;
  config.wasapi.input.clear();
  const auto made = service.make(config);
  return made && (*made)->info().present;
}

TEST(backends_memory, an_id_is_recognised_by_the_next_service_after_the_driver_was_installed_anew) {
  const std::string first = "{0.0.0.00000000}.{11111111-2222-3333-4444-555555555555}";
  const std::string second = "{0.0.0.00000000}.{22222222-2222-3333-4444-555555555555}";
  const std::string third = "{0.0.0.00000000}.{33333333-2222-3333-4444-555555555555}";
  const testing::ConfigFolder folder;
  const std::string memory = folder.file("endpoints.json");
  EXPECT_FALSE(is_found(second, first, memory)) << "it was never seen";
  EXPECT_TRUE(is_found(first, first, memory));
  EXPECT_TRUE(folder.has("endpoints.json"));
  EXPECT_FALSE(is_found(second, first, "")) << "the test proves nothing";
  EXPECT_TRUE(is_found(second, first, memory));
  EXPECT_TRUE(is_found(third, first, memory));
}

TEST(backends_memory, a_file_that_cannot_be_used_costs_what_was_remembered_and_nothing_else) {
  const std::string id = "{0.0.0.00000000}.{11111111-2222-3333-4444-555555555555}";
  const testing::ConfigFolder folder;
  folder.write("endpoints.json", "{");
  EXPECT_TRUE(is_found(id, id, folder.file("endpoints.json")));
  EXPECT_TRUE(folder.has("endpoints.json.bad"));
  EXPECT_NE(folder.read("endpoints.json").find(id), std::string::npos);
}

}  // namespace
}  // namespace asiodrv::service
