#include "asio/dll/install_folder.hpp"

#include <gtest/gtest.h>

namespace asiodrv::asio {
namespace {

TEST(install_folder, the_32_bit_dll_lies_below_the_programs_and_others_beside_them) {
  EXPECT_EQ(install_folder("C:\\Program Files\\asio-driver\\x86\\"),
            "C:\\Program Files\\asio-driver\\");
  EXPECT_EQ(install_folder("C:\\Program Files\\asio-driver\\"), "C:\\Program Files\\asio-driver\\");
  EXPECT_EQ(install_folder("/opt/x86/"), "/opt/");
  for (const char* const same : {"", "/", "x86/", "/opt/windows-x86/", "/opt/x86", "/opt/x86b/"}) {
    EXPECT_EQ(install_folder(same), same);
  }
}

}  // namespace
}  // namespace asiodrv::asio
