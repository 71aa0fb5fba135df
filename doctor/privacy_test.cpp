// Nothing about a person leaves the machine.
#include "doctor/privacy.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace asiodrv::doctor {
namespace {

Scrubber of_maria() {
  return Scrubber({{"C:\\Users\\Maria Muster", "D:\\Daten\\maria"},
                   {"Maria Muster", "maria"},
                   {"MUSTER-PC", "muster-pc.example"}});
}

TEST(doctor_privacy, paths_lose_the_user_in_every_spelling) {
  const Scrubber scrubber = of_maria();
  EXPECT_EQ(scrubber.scrub("C:\\Users\\Maria Muster\\AppData\\x"), "<home>\\AppData\\x");
  EXPECT_EQ(scrubber.scrub("\"c:\\\\users\\\\MARIA MUSTER\\\\x\""), "\"<home>\\\\x\"");
  EXPECT_EQ(scrubber.scrub("C:/Users/Maria Muster/x"), "<home>/x");
  EXPECT_EQ(scrubber.scrub("C:\\\\\\\\Users\\\\\\\\Maria Muster\\\\\\\\x"), "<home>\\\\\\\\x");
  EXPECT_EQ(scrubber.scrub("D:\\Daten\\maria\\x"), "<home>\\x");
  EXPECT_EQ(scrubber.scrub("D:\\Daten\\mariachi"), "D:\\Daten\\mariachi");
}

TEST(doctor_privacy, other_peoples_folders_lose_their_names_too) {
  const Scrubber scrubber = of_maria();
  EXPECT_EQ(scrubber.scrub("C:\\Users\\Otto\\x"), "C:\\Users\\<user>\\x");
  EXPECT_EQ(scrubber.scrub("C:\\\\Users\\\\Otto\\\\x"), "C:\\\\Users\\\\<user>\\\\x");
  EXPECT_EQ(scrubber.scrub("C:\\\\\\\\Users\\\\\\\\Otto\\\\\\\\x"),
            "C:\\\\\\\\Users\\\\\\\\<user>\\\\\\\\x");
  EXPECT_EQ(scrubber.scrub("/home/"
                           "otto/x and more"),
            "/home/<user>/x and more");
  EXPECT_EQ(scrubber.scrub("/home/"
                           "otto is there"),
            "/home/<user> is there");
  EXPECT_EQ(scrubber.scrub("C:\\Users\\Public\\x"), "C:\\Users\\Public\\x");
  EXPECT_EQ(scrubber.scrub("ends with C:\\Users\\"), "ends with C:\\Users\\");
}

TEST(doctor_privacy, names_go_as_whole_words_only) {
  const Scrubber scrubber = of_maria();
  EXPECT_EQ(scrubber.scrub("Maria's microphone"), "<user>'s microphone");
  EXPECT_EQ(scrubber.scrub("MARIA, maria_2 and mariachi"), "<user>, <user>_2 and mariachi");
  EXPECT_EQ(scrubber.scrub("\\\\Muster-PC\\share"), "\\\\<computer>\\share");
  EXPECT_EQ(scrubber.scrub("muster-pc.example"), "<computer>");
}

TEST(doctor_privacy, each_word_of_a_name_goes) {
  const Scrubber scrubber({{}, {"Anna M. Lind"}, {}});
  EXPECT_EQ(scrubber.scrub("anna m. lind, Lind's AirPods, Anna, m. and Lindau"),
            "<user>, <user>'s AirPods, <user>, m. and Lindau");
}

TEST(doctor_privacy, other_computers_of_a_network_lose_their_names) {
  const Scrubber scrubber({{}, {}, {}});
  EXPECT_EQ(scrubber.scrub("from \\\\STUDIO-2\\share\\x"), "from \\\\<computer>\\share\\x");
  EXPECT_EQ(scrubber.scrub("\"\\\\\\\\nas.local\\\\share\""), "\"\\\\\\\\<computer>\\\\share\"");
  EXPECT_EQ(scrubber.scrub("\\\\?\\C:\\x, \\\\.\\pipe\\x, C:\\\\A\\\\b"),
            "\\\\?\\C:\\x, \\\\.\\pipe\\x, C:\\\\A\\\\b");
}

TEST(doctor_privacy, addresses_and_serial_numbers_go) {
  const Scrubber scrubber({{}, {}, {}});
  EXPECT_EQ(scrubber.scrub("ask m.muster+x@mail.example (or @home)"), "ask <address> (or @home)");
  EXPECT_EQ(scrubber.scrub("{1}.USB\\VID_1234&PID_5678&MI_00\\7&2A9&0&0000 left"),
            "{1}.USB\\VID_1234&PID_5678&MI_00\\<serial> left");
  EXPECT_EQ(scrubber.scrub("usb\\\\vid_1234&pid_5678\\\\SN0042"),
            "usb\\\\vid_1234&pid_5678\\\\<serial>");
  EXPECT_EQ(scrubber.scrub("usb#vid_1234&pid_5678#SN0042#{6994ad04}"),
            "usb#vid_1234&pid_5678#<serial>#{6994ad04}");
  EXPECT_EQ(scrubber.scrub("HDAUDIO\\FUNC_01 usb:1234:5678"), "HDAUDIO\\FUNC_01 usb:1234:5678");
}

/// A configuration may be 1 MiB of anything. Were each place looked back from to where its run
/// begins, this would take longer than any test may.
TEST(doctor_privacy, long_runs_of_backslashes_take_no_more_time_than_others) {
  const Scrubber scrubber({{}, {}, {}});
  const std::string all(std::size_t{1} << 20, '\\');
  EXPECT_TRUE(scrubber.scrub(all) == all);
  const std::string many(std::size_t{1} << 18, '\\'), word(std::size_t{1} << 18, 'a');
  EXPECT_TRUE(scrubber.scrub(word + many) == word + many);
  const std::string product = "vid_1234&pid_5678" + many;
  EXPECT_TRUE(scrubber.scrub(product + "SN0042") == product + "<serial>");
}

TEST(doctor_privacy, a_user_who_is_called_like_a_key_makes_no_document_unreadable) {
  const Scrubber scrubber({{"C:\\Users\\Max"}, {"Max"}, {}});
  const std::string document =
      "{\"max_frames\": 64, \"who\": [\"Max\", \"C:\\\\Users\\\\Max\\\\x\"]}";
  const nlohmann::json left = nlohmann::json::parse(scrubber.scrub_json(document));
  EXPECT_EQ(left, (nlohmann::json{{"max_frames", 64}, {"who", {"<user>", "<home>\\x"}}}));
  EXPECT_EQ(scrubber.scrub_json("Max has no JSON"), "<user> has no JSON");
}

TEST(doctor_privacy, user_identifiers_go) {
  const Scrubber scrubber = of_maria();
  EXPECT_EQ(scrubber.scrub("S-1-12-1-11-22-33-44"), "<user-id>");
  EXPECT_EQ(scrubber.scrub("pipe asio-driver-S-1-5-21-1-22-333-1001-x"),
            "pipe asio-driver-<user-id>x");
  EXPECT_EQ(scrubber.scrub("S-1-5-18 is the system"), "S-1-5-18 is the system");
}

TEST(doctor_privacy, what_the_system_does_not_say_takes_nothing_away) {
  const Scrubber scrubber({{"", "/", "C:\\"}, {"", ""}, {""}});
  EXPECT_EQ(scrubber.scrub("C:\\x / y"), "C:\\x / y");
  EXPECT_EQ(scrubber.scrub(""), "");
}

TEST(doctor_privacy, this_machines_own_names_are_known) {
  const PersonalNames names = personal_names();
  EXPECT_FALSE(names.folders.empty());
  EXPECT_FALSE(names.users.empty());
  ASSERT_FALSE(names.computers.empty());
  EXPECT_FALSE(names.computers.front().empty());
  const Scrubber scrubber(names);
  EXPECT_EQ(scrubber.scrub(" " + names.computers.front() + " "), " <computer> ");
}

}  // namespace
}  // namespace asiodrv::doctor
