#include "host/catalogue.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace asiodrv::host {
namespace {

constexpr const char* kClsid = "{5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C35}";

std::vector<DriverEntry> three_drivers() {
  return {{"Alpha", "{00000001-0002-0003-0405-060708090A0B}", "Alpha Audio", "C:\\a.dll", true},
          {"asio-driver", kClsid, "asio-driver", "C:\\d.dll", true},
          {"Beta", "", "Beta", "", false}};
}

TEST(product, its_class_is_written_the_same_way_twice_and_its_name_is_short_enough) {
  EXPECT_EQ(parse_guid(kProduct.class_id_text), kProduct.class_id);
  EXPECT_EQ(format_guid(kProduct.class_id), kProduct.class_id_text);
  EXPECT_LE(std::string_view(kProduct.driver_name).size(), 31U);
}

TEST(host_catalogue, a_guid_survives_text_and_back) {
  const auto guid = parse_guid(kClsid);
  ASSERT_TRUE(guid);
  EXPECT_EQ(guid->data1, 0x5E0C7B0AU);
  EXPECT_EQ(guid->data3, 0x4C1FU);
  EXPECT_EQ(guid->data4[7], 0x35U);
  EXPECT_EQ(format_guid(*guid), kClsid);
}

TEST(host_catalogue, a_guid_needs_no_braces_and_no_letter_case) {
  EXPECT_EQ(parse_guid("5e0c7b0a-93d4-4c1f-8b62-1fa47d2e9c35"), parse_guid(kClsid));
}

TEST(host_catalogue, what_is_no_guid_is_refused) {
  for (const char* text :
       {"", "{}", "{5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C3}", "{5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C3G}",
        "{5E0C7B0A 93D4-4C1F-8B62-1FA47D2E9C35}", "(5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C35)"}) {
    EXPECT_FALSE(parse_guid(text)) << text;
  }
}

TEST(host_catalogue, our_driver_is_preferred_when_nothing_is_asked_for) {
  const auto chosen = choose_driver(three_drivers(), "");
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->name, "asio-driver");
}

TEST(host_catalogue, the_only_driver_is_taken_when_nothing_is_asked_for) {
  const std::vector<DriverEntry> one{three_drivers()[0]};
  ASSERT_TRUE(choose_driver(one, ""));
  EXPECT_EQ(choose_driver(one, "")->name, "Alpha");
}

TEST(host_catalogue, several_foreign_drivers_make_the_user_choose) {
  const std::vector<DriverEntry> two{three_drivers()[0], three_drivers()[2]};
  const auto chosen = choose_driver(two, "");
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, ErrorCode::not_found);
  EXPECT_NE(chosen.error().message.find("'Alpha'"), std::string::npos);
}

TEST(host_catalogue, a_driver_answers_to_name_description_clsid_and_path) {
  for (const char* wanted :
       {"alpha", "ALPHA AUDIO", "00000001-0002-0003-0405-060708090a0b", "c:\\A.DLL"}) {
    const auto chosen = choose_driver(three_drivers(), wanted);
    ASSERT_TRUE(chosen) << wanted;
    EXPECT_EQ(chosen->name, "Alpha") << wanted;
  }
}

TEST(host_catalogue, an_unknown_name_and_a_missing_file_are_not_found) {
  for (const char* wanted : {"Gamma", "/nowhere/libgamma.so"}) {
    const auto chosen = choose_driver(three_drivers(), wanted);
    ASSERT_FALSE(chosen) << wanted;
    EXPECT_EQ(chosen.error().code, ErrorCode::not_found);
  }
}

}  // namespace
}  // namespace asiodrv::host
