// Sections E and N of the rules: COM, enumeration, memory, notifications.
#include <set>

#include "devices/wasapi/fake/test_listener.hpp"
#include "devices/wasapi/fake/test_program.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

using test::has_violation;
using test::Listener;
using test::open;
using test::Program;
using test::Ref;

TEST(wasapi_fake_rules, E1_every_call_needs_com_on_its_thread) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const Ref<AudioClient3> client = program.activate(endpoint);
  {
    const auto other = program.world.as_thread(77);
    MmDeviceEnumerator* enumerator = nullptr;
    EXPECT_EQ(program.world.make_enumerator(&enumerator), kComNotInitialized);
    EXPECT_EQ(enumerator, nullptr);
    program.world.forget_violations();
    ReferenceTime period = 0;
    EXPECT_EQ(client->device_period(&period, nullptr), kOk);
    EXPECT_TRUE(has_violation(program.world, "E1: client.device_period"));
    program.world.forget_violations();
    const auto com = program.world.hold_com();
    EXPECT_EQ(client->device_period(&period, nullptr), kOk);
  }
  EXPECT_TRUE(program.world.violations().empty());
}

TEST(wasapi_fake_rules, E1_com_stays_while_anything_is_held) {
  World world;
  auto com = world.hold_com();
  Ref<MmDeviceEnumerator> enumerator;
  ASSERT_EQ(world.make_enumerator(enumerator.out()), kOk);
  Endpoint& endpoint = world.add_endpoint({});
  Ref<MmDevice> device;
  ASSERT_EQ(enumerator->device(endpoint.spec().id.c_str(), device.out()), kOk);
  com.reset();
  EXPECT_TRUE(has_violation(world, "E1: the last thread"));
}

TEST(wasapi_fake_rules, E2_the_enumerator_is_one_and_leaks_are_found) {
  World world;
  const auto com = world.hold_com();
  MmDeviceEnumerator *first = nullptr, *second = nullptr;
  ASSERT_EQ(world.make_enumerator(&first), kOk);
  ASSERT_EQ(world.make_enumerator(&second), kOk);
  EXPECT_EQ(first, second);
  EXPECT_EQ(second->release(), 1U);
  EXPECT_EQ(world.leaks().size(), 2U);  // the other reference, and COM
  EXPECT_EQ(first->release(), 0U);
  EXPECT_EQ(world.leaks().size(), 1U);
  first->release();
  EXPECT_TRUE(has_violation(world, "use after release"));
}

TEST(wasapi_fake_rules, E3_enumeration_answers_by_the_table) {
  Program program;
  World& world = program.world;
  Endpoint& speakers = world.add_endpoint({});
  Endpoint& microphone = world.add_endpoint(make_spec(Personality::plain, Flow::capture));
  speakers.unplug();
  MmDeviceEnumerator& enumerator = *program.enumerator.get();
  Ref<MmDeviceCollection> found;
  std::uint32_t count = 99;
  EXPECT_EQ(enumerator.enumerate(Flow::all, kActive, nullptr), kPointer);
  EXPECT_EQ(enumerator.enumerate(Flow{3}, kActive, found.out()), kInvalidArgument);
  EXPECT_EQ(enumerator.enumerate(Flow::all, 0x10, found.out()), kInvalidArgument);
  ASSERT_EQ(enumerator.enumerate(Flow::all, 0, found.out()), kOk);
  EXPECT_EQ(found->count(&count), kOk);
  EXPECT_EQ(count, 0U);
  ASSERT_EQ(enumerator.enumerate(Flow::all, kAllStates, found.out()), kOk);
  EXPECT_EQ(found->count(&count), kOk);
  EXPECT_EQ(count, 2U);
  EXPECT_EQ(found->count(nullptr), kPointer);
  ASSERT_EQ(enumerator.enumerate(Flow::all, kActive, found.out()), kOk);
  EXPECT_EQ(found->count(&count), kOk);
  EXPECT_EQ(count, 1U);
  auto* const rubbish = reinterpret_cast<MmDevice*>(&count);
  MmDevice* device = rubbish;
  EXPECT_EQ(found->item(1, &device), kInvalidArgument);
  EXPECT_EQ(device, nullptr);

  device = rubbish;
  EXPECT_EQ(enumerator.default_endpoint(Flow::render, Role::console, &device), kNotFound);
  EXPECT_EQ(device, nullptr);
  EXPECT_EQ(enumerator.default_endpoint(Flow::all, Role::console, &device), kInvalidArgument);
  EXPECT_EQ(enumerator.default_endpoint(Flow::capture, Role{3}, &device), kInvalidArgument);
  Ref<MmDevice> standard;
  ASSERT_EQ(enumerator.default_endpoint(Flow::capture, Role::console, standard.out()), kOk);
  char16_t* id = nullptr;
  ASSERT_EQ(standard->id(&id), kOk);
  EXPECT_EQ(std::u16string(id), microphone.spec().id);
  world.free_task_memory(id);
  std::uint32_t state = 0;
  EXPECT_EQ(program.device_of(speakers)->state(&state), kOk);
  EXPECT_EQ(state, std::uint32_t{kUnplugged});
  Ref<MmEndpoint> endpoint;
  ASSERT_EQ(standard->query_interface(MmEndpoint::kId, endpoint.out_any()), kOk);
  Flow flow = Flow::all;
  EXPECT_EQ(endpoint->flow(&flow), kOk);
  EXPECT_EQ(flow, Flow::capture);

  EXPECT_EQ(enumerator.device(nullptr, &device), kPointer);
  EXPECT_EQ(enumerator.device(u"a name", &device), kInvalidArgument);
  device = rubbish;
  EXPECT_EQ(enumerator.device(u"{0.0.0.00000000}.{00000000-0000-4000-8000-000000000000}", &device),
            kNotFound);
  EXPECT_EQ(device, nullptr);
}

TEST(wasapi_fake_rules, E4_a_missing_property_is_an_empty_value) {
  Program program;
  const Endpoint& wine = program.world.add_endpoint(make_spec(Personality::wine8, Flow::render));
  Ref<PropertyStore> store;
  ASSERT_EQ(program.device_of(wine)->open_properties(0, store.out()), kOk);
  PropertyValue value{};
  EXPECT_EQ(store->value(kContainerId, &value), kOk);
  EXPECT_EQ(value.type, kVariantEmpty);
  EXPECT_EQ(store->value(kFriendlyName, &value), kOk);
  ASSERT_EQ(value.type, kVariantText);
  EXPECT_EQ(std::u16string(value.text), u"Speakers (Wine PulseAudio)");
  program.world.clear(value);
  EXPECT_EQ(store->value(kDeviceFormat, &value), kOk);
  ASSERT_EQ(value.type, kVariantBlob);
  EXPECT_EQ(value.blob.size, sizeof(WaveFormatExtensible));
  program.world.clear(value);
  EXPECT_EQ(store->set_value(kFriendlyName, value), kAccessDenied);
}

TEST(wasapi_fake_rules, E5_only_active_endpoints_are_activated) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const Ref<MmDevice> device = program.device_of(endpoint);
  Ref<AudioClient> client;
  Ref<PropertyStore> store;
  std::uint32_t parameters = 0;
  EXPECT_EQ(device->activate(AudioClient::kId, 0x17, &parameters, client.out_any()),
            kInvalidArgument);
  EXPECT_EQ(device->activate(RenderClient::kId, 0x17, nullptr, client.out_any()), kNoInterface);
  endpoint.disable();
  EXPECT_EQ(device->activate(AudioClient::kId, 0x17, nullptr, client.out_any()),
            kDeviceInvalidated);
  EXPECT_EQ(device->open_properties(0, store.out()), kOk);
  endpoint.enable();
  EXPECT_EQ(device->activate(AudioClient::kId, 0x17, nullptr, client.out_any()), kOk);
  program.world.remove(endpoint);
  Ref<AudioClient> second;
  EXPECT_EQ(device->activate(AudioClient::kId, 0x17, nullptr, second.out_any()),
            kDeviceInvalidated);
}

TEST(wasapi_fake_rules, E6_services_are_released_on_the_clients_thread) {
  for (const bool same : {true, false}) {
    Program program;
    Endpoint& endpoint = program.world.add_endpoint({});
    program.expects_clean = same;
    const auto stream = open(program, endpoint);
    if (!same) {
      const auto other = program.world.as_thread(5);
      const auto com = program.world.hold_com();
      stream->render.reset();
    }
    *stream = {};
    EXPECT_EQ(has_violation(program.world, "E6"), !same);
  }
}

TEST(wasapi_fake_rules, E7_a_device_is_held_until_the_last_service_is_gone_and_a_little_longer) {
  Program program;
  EndpointSpec spec;
  spec.knobs.busy_after_exclusive = milliseconds{19};
  Endpoint& endpoint = program.world.add_endpoint(spec);
  const auto first = open(program, endpoint, test::exclusively(100'000));
  ASSERT_EQ(first->result, kOk);
  EXPECT_EQ(open(program, endpoint)->result, kDeviceInUse);
  first->client.reset();
  first->render.reset();
  EXPECT_EQ(open(program, endpoint)->result, kDeviceInUse);  // the clock is still held
  first->clock.reset();
  EXPECT_EQ(open(program, endpoint)->result, kDeviceInUse);
  program.world.advance(milliseconds{19});
  EXPECT_EQ(open(program, endpoint)->result, kOk);
}

TEST(wasapi_fake_rules, E8_memory_is_given_back_once) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  const Ref<AudioClient3> client = program.activate(endpoint);
  WaveFormat* format = nullptr;
  ASSERT_EQ(client->mix_format(&format), kOk);
  const std::vector<std::string> leaks = program.world.leaks();
  EXPECT_NE(std::find(leaks.begin(), leaks.end(), "E8: memory of client.mix_format"), leaks.end());
  program.world.free_task_memory(format);
  program.world.free_task_memory(nullptr);
  EXPECT_TRUE(program.world.violations().empty());
  program.world.free_task_memory(format);
  EXPECT_TRUE(has_violation(program.world, "E8"));
  program.expects_clean = false;
}

// --- notifications -------------------------------------------------------------------------------

TEST(wasapi_fake_rules, N1_registering_counts_no_references_and_nobody_is_told_afterwards) {
  Program program;
  Endpoint& endpoint = program.world.add_endpoint({});
  program.world.advance(milliseconds{1});
  Listener listener;
  ASSERT_EQ(program.enumerator->register_notifications(&listener), kOk);
  endpoint.unplug();
  EXPECT_TRUE(listener.states.empty());  // not from inside of what caused it
  program.world.advance(milliseconds{1});
  ASSERT_EQ(listener.states.size(), 1U);
  EXPECT_EQ(listener.states[0].first, endpoint.spec().id);
  EXPECT_EQ(listener.states[0].second, std::uint32_t{kUnplugged});
  endpoint.replug();
  ASSERT_EQ(program.enumerator->unregister_notifications(&listener), kOk);
  program.world.advance(milliseconds{1});
  EXPECT_EQ(listener.states.size(), 1U);
  EXPECT_EQ(listener.references, 1U);
}

TEST(wasapi_fake_rules, N2_callbacks_come_on_a_thread_of_their_own_and_must_not_call_back) {
  Program program;
  World& world = program.world;
  Endpoint& endpoint = world.add_endpoint({});
  const Ref<MmDevice> device = program.device_of(endpoint);
  world.advance(milliseconds{1});
  Listener listener;
  ASSERT_EQ(program.enumerator->register_notifications(&listener), kOk);
  const EventHandle event = program.new_event();
  Listener second;
  Ref<AudioClient> client;
  int depth = 0;
  const auto during_callback = [&](const std::function<void()>& action) {
    world.forget_violations();
    listener.action = [&] {
      EXPECT_EQ(world.current_thread(), kCallbackThread);
      EXPECT_EQ(++depth, 1);
      action();
      --depth;
    };
    endpoint.state() == kActive ? endpoint.unplug() : endpoint.replug();
    world.advance(milliseconds{1});
    listener.action = nullptr;
    return has_violation(world, "N2");
  };
  EXPECT_FALSE(during_callback([&] { world.signal(event); }));
  EXPECT_TRUE(program.wait(event));
  EXPECT_TRUE(during_callback([&] { program.enumerator->register_notifications(&second); }));
  EXPECT_TRUE(during_callback([&] {
    for (int i = 0; i < 8; ++i) program.enumerator->unregister_notifications(&second);
  }));
  EXPECT_TRUE(during_callback(
      [&] { device->activate(AudioClient::kId, 0x17, nullptr, client.out_any()); }));
  EXPECT_TRUE(during_callback([&] {
    Ref<PropertyStore> store;
    device->open_properties(0, store.out());
  }));
  EXPECT_TRUE(during_callback([&] { world.wait_any({&event, 1}, world.now()); }));
  EXPECT_EQ(program.enumerator->unregister_notifications(&listener), kOk);
  program.expects_clean = false;
}

TEST(wasapi_fake_rules, N3_callbacks_are_short) {
  for (const int ms : {9, 11}) {
    Program program;
    program.expects_clean = ms < 10;
    Endpoint& endpoint = program.world.add_endpoint({});
    program.world.advance(milliseconds{1});
    Listener listener;
    ASSERT_EQ(program.enumerator->register_notifications(&listener), kOk);
    program.world.set_default(Flow::render, &endpoint);
    listener.action = [&] {
      program.world.clock().sleep_until(program.world.now() + milliseconds{ms});
    };
    program.world.advance(milliseconds{1});
    EXPECT_EQ(has_violation(program.world, "N3"), ms > 10);
    EXPECT_EQ(program.enumerator->unregister_notifications(&listener), kOk);
  }
}

TEST(wasapi_fake_rules, N4_a_new_default_is_told_once_to_thrice_in_any_order) {
  std::set<std::vector<Role>> orders;
  bool told_twice = false;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Program program({seed});
    Endpoint& endpoint = program.world.add_endpoint({});
    program.world.advance(milliseconds{1});
    Listener listener;
    ASSERT_EQ(program.enumerator->register_notifications(&listener), kOk);
    endpoint.unplug();
    program.world.advance(milliseconds{1});
    ASSERT_GE(listener.defaults.size(), 1U);
    ASSERT_LE(listener.defaults.size(), 4U);
    std::vector<Role> order;
    for (const Listener::Default& told : listener.defaults) {
      EXPECT_TRUE(told.id.empty());  // none is left
      told_twice = told_twice || std::count(order.begin(), order.end(), told.role) > 0;
      order.push_back(told.role);
    }
    orders.insert(order);
    EXPECT_EQ(program.enumerator->unregister_notifications(&listener), kOk);
  }
  EXPECT_GE(orders.size(), 10U);
  EXPECT_TRUE(told_twice);
}

TEST(wasapi_fake_rules, N5_only_who_is_registered_can_be_unregistered) {
  Program program;
  Listener listener;
  EXPECT_EQ(program.enumerator->unregister_notifications(&listener), kNotFound);
  EXPECT_EQ(program.enumerator->register_notifications(nullptr), kPointer);
  EXPECT_EQ(program.enumerator->unregister_notifications(nullptr), kPointer);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi::fake
