#include "asio/driver_shell.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <stdexcept>

#include "asio/testing/world.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace asiodrv::asio {
namespace {

using testing::World;

struct Released {
  void operator()(AsioDriver* driver) const { driver->Release(); }
};
using Driver = std::unique_ptr<AsioDriver, Released>;

constexpr FrontOptions kManual{.manual_stream = true, .manual_notifier = true};

TEST(driver_shell, answers_to_its_own_id_and_to_unknown_only) {
  World world;
  const Driver driver(make_driver(world.ports(), kManual));
  EXPECT_EQ(live_drivers(), 1);
  void* object = nullptr;
  EXPECT_EQ(driver->QueryInterface(&kDriverId, &object), kComOk);
  EXPECT_EQ(object, driver.get());
  EXPECT_EQ(driver->Release(), 1u);
  EXPECT_EQ(driver->QueryInterface(&kUnknownId, &object), kComOk);
  EXPECT_EQ(driver->Release(), 1u);
  Guid other = kDriverId;
  other.data4[7] ^= 1;
  EXPECT_EQ(driver->QueryInterface(&other, &object), kComNoInterface);
  EXPECT_EQ(object, nullptr);
  EXPECT_EQ(driver->QueryInterface(&kDriverId, nullptr), kComNullPointer);
  EXPECT_EQ(driver->QueryInterface(nullptr, &object), kComNullPointer);
  EXPECT_EQ(driver->AddRef(), 2u);
  EXPECT_EQ(driver->Release(), 1u);
}

TEST(driver_shell, the_last_release_stops_disposes_and_hangs_up) {
  World world;
  {
    const Driver driver(make_driver(world.ports(), kManual));
    ASSERT_EQ(driver->init(nullptr), 1);
    auto infos = world.all_channels();
    Callbacks callbacks = testing::FakeHost::callbacks();
    ASSERT_EQ(driver->createBuffers(infos.data(), 4, 64, &callbacks), kOk);
    ASSERT_EQ(driver->start(), kOk);
  }
  const std::vector<std::string> expected{"connect", "create",  "start",
                                          "stop",    "dispose", "disconnect"};
  EXPECT_EQ(world.service.log(), expected);
  EXPECT_EQ(live_drivers(), 0);
}

TEST(driver_shell, name_and_version_work_before_init_and_fit_their_fields) {
  World world;
  const Driver driver(make_driver(world.ports(), kManual));
  char name[kNameBytes + 1];
  std::memset(name, '!', sizeof name);
  driver->getDriverName(name);
  EXPECT_STREQ(name, "asio-driver");
  EXPECT_EQ(name[kNameBytes], '!');
  EXPECT_GT(driver->getDriverVersion(), 0);
  char message[kErrorMessageBytes + 1];
  std::memset(message, '!', sizeof message);
  world.service.failures["connect"] = {ErrorCode::service_absent, std::string(500, 'x')};
  EXPECT_EQ(driver->init(nullptr), 0);
  driver->getErrorMessage(message);
  EXPECT_EQ(std::strlen(message), kErrorMessageBytes - 1);
  EXPECT_EQ(message[kErrorMessageBytes], '!');
}

TEST(driver_shell, exceptions_become_numbers) {
  World world;
  FrontPorts ports = world.ports();
  ports.open_panel = []() -> Result<> { throw std::runtime_error("a bug"); };
  const Driver driver(make_driver(ports, kManual));
  ASSERT_EQ(driver->init(nullptr), 1);
  EXPECT_EQ(driver->controlPanel(), kHardwareMalfunction);
  world.service.create_throws = true;
  auto infos = world.all_channels();
  Callbacks callbacks = testing::FakeHost::callbacks();
  EXPECT_EQ(driver->createBuffers(infos.data(), 4, 64, &callbacks), kNoMemory);
  EXPECT_EQ(world.service.calls("disconnect"), 1);  // so that it drops what it may hold for us
  world.service.create_throws = false;
  EXPECT_EQ(driver->createBuffers(infos.data(), 4, 64, &callbacks), kOk);
  ports.make_link = []() -> std::unique_ptr<ipc::ServiceLink> { throw std::bad_alloc(); };
  const Driver other(make_driver(ports, kManual));
  EXPECT_EQ(other->init(nullptr), 0);
}

#if defined(__x86_64__)
std::uint16_t x87_control() {
  std::uint16_t word = 0;
  __asm__ __volatile__("fnstcw %0" : "=m"(word));
  return word;
}
void set_x87_control(std::uint16_t word) { __asm__ __volatile__("fldcw %0" : : "m"(word)); }

TEST(driver_shell, every_export_leaves_the_floating_point_environment_as_found) {
  World world;
  const Driver owner(make_driver(world.ports(), kManual));
  AsioDriver* const driver = owner.get();
  std::int32_t a = 4, b = 0, c = 0, d = 0;
  double rate = 0;
  char text[kErrorMessageBytes];
  void* object = nullptr;
  U64Pair position{}, time{};
  ClockSource sources[4];
  ChannelInfo info{.channel = 0, .is_input = 1, .is_active = 0, .group = 0, .type = 0, .name = {}};
  auto infos = world.all_channels();
  Callbacks callbacks = testing::FakeHost::callbacks();
  const double nan = std::numeric_limits<double>::signaling_NaN();
  const std::vector<std::function<void()>> exports{
      [&] { driver->QueryInterface(&kDriverId, &object); },
      [&] { driver->AddRef(); },
      [&] { driver->Release(); },
      [&] { driver->Release(); },
      [&] { driver->init(nullptr); },
      [&] { driver->getDriverName(text); },
      [&] { driver->getDriverVersion(); },
      [&] { driver->getErrorMessage(text); },
      [&] { driver->getChannels(&a, &b); },
      [&] { driver->getLatencies(&a, &b); },
      [&] { driver->getBufferSize(&a, &b, &c, &d); },
      [&] { driver->canSampleRate(nan); },
      [&] { driver->canSampleRate(48'000); },
      [&] { driver->getSampleRate(&rate); },
      [&] { driver->setSampleRate(nan); },
      [&] { driver->setSampleRate(96'000); },
      [&] { driver->getClockSources(sources, &(a = 4)); },
      [&] { driver->setClockSource(0); },
      [&] { driver->getChannelInfo(&info); },
      [&] { driver->createBuffers(infos.data(), 4, 64, &callbacks); },
      [&] { driver->start(); },
      [&] { driver->getSamplePosition(&position, &time); },
      [&] { driver->outputReady(); },
      [&] { driver->future(kCanTimeInfo, nullptr); },
      [&] { driver->controlPanel(); },
      [&] { driver->stop(); },
      [&] { driver->disposeBuffers(); },
  };
  const unsigned usual_mxcsr = _mm_getcsr();
  const std::uint16_t usual_x87 = x87_control();
  // Flushed denormals, rounding up; everything unmasked, as a debugging host does; sticky flags.
  struct Environment {
    unsigned mxcsr;
    std::uint16_t x87;
  };
  for (const Environment odd :
       {Environment{0xDFC0, 0x0B7F}, Environment{0x0000, 0x0340}, Environment{0x1FBF, 0x027F}}) {
    for (std::size_t i = 0; i < exports.size(); ++i) {
      _mm_setcsr(odd.mxcsr);
      set_x87_control(odd.x87);
      exports[i]();
      const unsigned mxcsr = _mm_getcsr();
      const std::uint16_t x87 = x87_control();
      _mm_setcsr(usual_mxcsr);
      set_x87_control(usual_x87);
      EXPECT_EQ(mxcsr, odd.mxcsr) << "export " << i;
      EXPECT_EQ(x87, odd.x87) << "export " << i;
    }
  }
}

TEST(driver_shell, slots_are_where_hosts_written_in_c_look) {
  World world;
  const Driver driver(make_driver(world.ports(), kManual));
  using Slot = std::int32_t (*)(void*);
  void** const table = *reinterpret_cast<void***>(driver.get());
  EXPECT_EQ(reinterpret_cast<Slot>(table[1])(driver.get()), 2);  // AddRef
  EXPECT_EQ(reinterpret_cast<Slot>(table[2])(driver.get()), 1);  // Release
  EXPECT_EQ(reinterpret_cast<Slot>(table[5])(driver.get()), kDriverVersion);
  EXPECT_EQ(reinterpret_cast<Slot>(table[8])(driver.get()), kInvalidMode);  // stop
  EXPECT_EQ(reinterpret_cast<Slot>(table[23])(driver.get()), kOk);          // outputReady
  const auto future = reinterpret_cast<std::int32_t (*)(void*, std::int32_t, void*)>(table[22]);
  EXPECT_EQ(future(driver.get(), kCanTimeInfo, nullptr), kFutureSuccess);
}
#endif

}  // namespace
}  // namespace asiodrv::asio
