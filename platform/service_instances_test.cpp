#include "platform/service_instances.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace asiodrv::platform {
namespace {

TEST(service_instances, a_name_needs_the_prefix_an_underscore_and_hex) {
  EXPECT_EQ(instance_suffix("asio-driver_1a2b3", "asio-driver"), "1a2b3");
  EXPECT_EQ(instance_suffix("ASIO-Driver_1A2B3", "asio-driver"), "1A2B3");
  for (const char* const foreign :
       {"asio-driver", "asio-driver_", "asio-driver_Other", "asio-driver_12g", "asio-driver2_12",
        "asio-drive_12", "x-asio-driver_12", "asio-driver-12", ""}) {
    EXPECT_FALSE(instance_suffix(foreign, "asio-driver")) << foreign;
  }
}

/// Process n lives in session n / 100.
std::optional<std::uint32_t> hundreds(std::uint32_t process_id) {
  if (process_id == 999) return std::nullopt;
  return process_id / 100;
}

TEST(service_instances, a_running_instance_is_found_by_its_session) {
  const std::vector<ListedService> services{{"asio-driver_aa", 0xD0, 101},
                                            {"asio-driver_bb", 0xD0, 201}};
  EXPECT_EQ(instance_of_session(services, "asio-driver", 2, hundreds), "asio-driver_bb");
  EXPECT_EQ(instance_of_session(services, "asio-driver", 3, hundreds), std::nullopt);
}

TEST(service_instances, a_stopped_instance_is_found_by_a_neighbour_of_its_sign_in) {
  const std::vector<ListedService> services{
      {"asio-driver_aa", 0xD0, 0}, {"asio-driver_bb", 0xD0, 0}, {"Clipboard_User_bb", 0xE0, 200}};
  EXPECT_EQ(instance_of_session(services, "asio-driver", 2, hundreds), "asio-driver_bb");
  EXPECT_EQ(instance_of_session(services, "asio-driver", 1, hundreds), std::nullopt);
}

TEST(service_instances, ordinary_services_and_silent_processes_prove_nothing) {
  const std::vector<ListedService> services{{"asio-driver_aa", 0x10, 101},
                                            {"asio-driver_bb", 0xD0, 0},
                                            {"Other_bb", 0x20, 200},
                                            {"Third_bb", 0xE0, 999}};
  EXPECT_EQ(instance_of_session(services, "asio-driver", 1, hundreds), std::nullopt);
  EXPECT_EQ(instance_of_session(services, "asio-driver", 2, hundreds), std::nullopt);
}

}  // namespace
}  // namespace asiodrv::platform
