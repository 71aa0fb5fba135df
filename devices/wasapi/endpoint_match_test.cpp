#include <gtest/gtest.h>

#include "devices/wasapi/endpoints.hpp"

namespace asiodrv::devices::wasapi {
namespace {

EndpointInfo endpoint(Flow flow, const char* id, const char* description, const char* adapter,
                      const char* container = "", std::uint32_t state = kActive) {
  EndpointInfo info;
  info.flow = flow;
  info.id = id;
  info.description = description;
  info.adapter = adapter;
  info.name = info.description + " (" + adapter + ")";
  info.container = container;
  info.state = state;
  return info;
}

std::vector<EndpointInfo> some() {
  std::vector<EndpointInfo> all{
      endpoint(Flow::render, "r1", "Speakers", "2- Box", "{1}"),
      endpoint(Flow::render, "r2", "Digital", "2- Box", "{1}"),
      endpoint(Flow::render, "r3", "Speakers", "Realtek"),
      endpoint(Flow::capture, "c1", "Line", "2- Box", "{1}"),
  };
  all[2].is_default = true;
  return all;
}

TEST(wasapi_match, the_id_counts_first_whatever_the_name_says) {
  const auto all = some();
  EndpointIdentity remembered = all[0];
  remembered.id = "r3";
  const EndpointMatch match = match_endpoint(all, Flow::render, remembered);
  EXPECT_EQ(match.endpoint, &all[2]);
  EXPECT_EQ(match.by, MatchedBy::id);
}

TEST(wasapi_match, a_new_driver_is_recognised_by_the_box_and_its_part) {
  const auto all = some();
  EndpointIdentity remembered{"old", "other", "Digital", "other", "{1}"};
  const EndpointMatch match = match_endpoint(all, Flow::render, remembered);
  EXPECT_EQ(match.endpoint, &all[1]);
  EXPECT_EQ(match.by, MatchedBy::container);
}

TEST(wasapi_match, else_by_the_name_but_for_its_number) {
  const auto all = some();
  EndpointIdentity remembered{"old", "Speakers (3- Box)", "Speakers", "3- Box", "{9}"};
  const EndpointMatch match = match_endpoint(all, Flow::render, remembered);
  EXPECT_EQ(match.endpoint, &all[0]);
  EXPECT_EQ(match.by, MatchedBy::name);
  EXPECT_NE(match.why.find("new id"), std::string::npos);
}

TEST(wasapi_match, two_that_fit_alike_fit_not_at_all_and_active_ones_go_first) {
  auto all = some();
  all.push_back(endpoint(Flow::render, "r4", "Speakers", "Box"));
  const EndpointIdentity remembered{"old", "Speakers (Box)", "", "", ""};
  const EndpointMatch none = match_endpoint(all, Flow::render, remembered);
  EXPECT_EQ(none.endpoint, nullptr);
  EXPECT_NE(none.why.find("only one"), std::string::npos);
  all[0].state = kUnplugged;
  EXPECT_EQ(match_endpoint(all, Flow::render, remembered).endpoint, &all[4]);
}

/// As after a driver was installed anew: what it left behind is listed still.
TEST(wasapi_match, an_id_that_is_not_present_gives_way_to_the_same_part_of_the_same_box) {
  auto all = some();
  all[0].state = kNotPresent;
  all.push_back(endpoint(Flow::render, "r5", "Speakers", "3- Box", "{1}"));
  const EndpointMatch match = match_endpoint(all, Flow::render, all[0]);
  EXPECT_EQ(match.endpoint, &all[4]);
  EXPECT_EQ(match.by, MatchedBy::container);
  EXPECT_EQ(choose_endpoint(all, Flow::render, "r1").value(), &all[4]);

  all[4].state = kUnplugged;
  EXPECT_EQ(match_endpoint(all, Flow::render, all[0]).endpoint, &all[0]) << "that one is no better";
  all[4].state = kActive;
  all[4].container = "{2}";
  EXPECT_EQ(match_endpoint(all, Flow::render, all[0]).endpoint, &all[0]) << "another of its kind";
  all[0].state = kDisabled;
  all[4].container = "{1}";
  EXPECT_EQ(match_endpoint(all, Flow::render, all[0]).endpoint, &all[0])
      << "switched off, not gone";
}

TEST(wasapi_match, the_other_direction_never_fits) {
  const auto all = some();
  const EndpointMatch match = match_endpoint(all, Flow::capture, all[0]);
  EXPECT_EQ(match.endpoint, nullptr);
  EXPECT_NE(match.why.find("\"Line (2- Box)\""), std::string::npos);
}

TEST(wasapi_match, nothing_remembered_fits_nothing) {
  const auto all = some();
  EXPECT_EQ(match_endpoint(all, Flow::render, {}).endpoint, nullptr);
}

TEST(wasapi_match, numbers_are_taken_off_adapters_only) {
  EXPECT_EQ(name_without_number("Speakers (2- Box)"), "Speakers (Box)");
  EXPECT_EQ(name_without_number("12- Box"), "Box");
  EXPECT_EQ(name_without_number("Line 3- 4 (Box 2- A)"), "Line 3- 4 (Box 2- A)");
  EXPECT_EQ(name_without_number("Speakers (2-Box)"), "Speakers (2-Box)");
  EXPECT_EQ(name_without_number("(7"), "(7");
  EXPECT_EQ(name_without_number("(7- "), "(");
}

TEST(wasapi_choose, by_default_id_name_or_description) {
  const auto all = some();
  EXPECT_EQ(choose_endpoint(all, Flow::render, "default").value(), &all[2]);
  EXPECT_EQ(choose_endpoint(all, Flow::render, "r2").value(), &all[1]);
  EXPECT_EQ(choose_endpoint(all, Flow::render, "speakers (2- box)").value(), &all[0]);
  EXPECT_EQ(choose_endpoint(all, Flow::render, "digital").value(), &all[1]);
}

TEST(wasapi_choose, a_name_with_another_number_when_nothing_else_fits) {
  auto all = some();
  EXPECT_EQ(choose_endpoint(all, Flow::render, "Speakers (5- Box)").value(), &all[0]);
  EXPECT_EQ(choose_endpoint(all, Flow::render, "speakers (box)").value(), &all[0]);
  all.push_back(endpoint(Flow::render, "r4", "Speakers", "Box"));
  EXPECT_EQ(choose_endpoint(all, Flow::render, "Speakers (Box)").value(), &all[4]) << "as it is";
  EXPECT_FALSE(choose_endpoint(all, Flow::render, "Speakers (5- Box)")) << "two alike";
}

TEST(wasapi_choose, an_interface_by_its_numbers_on_usb) {
  auto all = some();
  all[0].usb = all[1].usb = all[3].usb = "1234:5678";
  all[2].usb = "0aaa:0001";
  EXPECT_EQ(choose_endpoint(all, Flow::render, "usb:1234:5678").value(), &all[0]);
  all[1].is_default = true;
  EXPECT_EQ(choose_endpoint(all, Flow::render, "USB:1234:5678").value(), &all[1]);
  EXPECT_EQ(choose_endpoint(all, Flow::capture, "usb:1234:5678").value(), &all[3]);
  EXPECT_EQ(choose_endpoint(all, Flow::render, "usb:ffff:0001,0AAA:0001").value(), &all[2]);
  all[2].state = kUnplugged;
  EXPECT_EQ(choose_endpoint(all, Flow::render, "usb:0aaa:0001,1234:5678").value(), &all[1]);
  EXPECT_EQ(choose_endpoint(all, Flow::render, "usb:0aaa:0001").value(), &all[2]);
  for (const char* nobody : {"usb:", "usb:,", "usb:1234:9999", "usb:1234"}) {
    const auto none = choose_endpoint(all, Flow::render, nobody);
    ASSERT_FALSE(none) << nobody;
    EXPECT_EQ(none.error().code, ErrorCode::not_found);
  }
}

TEST(wasapi_choose, the_numbers_are_read_from_the_device_tree) {
  EXPECT_EQ(usb_numbers("{1}.USB\\VID_0D8C&PID_00AB&MI_00\\7&2A"), "0d8c:00ab");
  for (const char* other : {"", "{1}.HDAUDIO\\FUNC_01&VEN_10EC", "USB\\VID_12&PID_34",
                            "USB\\VID_12G4&PID_3456", "USB\\VID_1234", "USB\\VID_1234&PID_5"}) {
    EXPECT_EQ(usb_numbers(other), "") << other;
  }
}

TEST(wasapi_choose, refusals_say_what_there_is) {
  const auto all = some();
  const auto unknown = choose_endpoint(all, Flow::render, "Mixer");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
  EXPECT_NE(unknown.error().message.find("\"Speakers (Realtek)\""), std::string::npos);
  const auto several = choose_endpoint(all, Flow::render, "Speakers");
  ASSERT_FALSE(several);
  EXPECT_EQ(several.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(choose_endpoint(all, Flow::capture, "default").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
