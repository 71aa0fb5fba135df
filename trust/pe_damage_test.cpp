// Damage of every kind: the parser must come to an end, stay within the bytes, and say something.
// Under the address sanitizer each file lies in a buffer of exactly its size.
#include <gtest/gtest.h>

#include <memory>

#include "core/base/prng.hpp"
#include "trust/pe_file.hpp"
#include "trust/security_descriptor.hpp"
#include "trust/testing/descriptor_builder.hpp"
#include "trust/testing/pe_builder.hpp"

namespace asiodrv::trust {
namespace {

using namespace testing;

/// Parses a copy that ends where its memory ends.
Result<PeFile> parse_exactly(const Bytes& file, std::size_t size) {
  const auto copy = std::make_unique<std::uint8_t[]>(size);
  std::copy_n(file.begin(), size, copy.get());
  return parse_pe(std::as_bytes(std::span(copy.get(), size)));
}

Bytes signed_library() {
  return with_certificates({aligned_certificate(signature({kTimestampId, kStrangeId})),
                            aligned_certificate(signature())});
}

TEST(pe_damage, a_file_that_ends_anywhere_is_read_as_far_as_it_goes) {
  const Bytes whole = signed_library();
  std::size_t refused = 0, complained = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto pe = parse_exactly(whole, size);
    if (!pe) {
      ++refused;
      EXPECT_FALSE(pe.error().message.empty());
    } else if (pe->sections_beyond_end || pe->certificates.truncated) {
      ++complained;
    }
  }
  EXPECT_EQ(refused + complained, whole.size()) << "some cut went by without a word";
  EXPECT_TRUE(parse_exactly(whole, whole.size()));
}

TEST(pe_damage, every_flipped_bit_is_survived) {
  const Bytes whole = signed_library();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes file = whole;
      file[at] = static_cast<std::uint8_t>(file[at] ^ (1U << bit));
      static_cast<void>(parse_exactly(file, file.size()));
    }
  }
}

TEST(pe_damage, large_numbers_anywhere_are_survived) {
  const Bytes whole = signed_library();
  for (std::size_t at = 0; at + 4 <= whole.size(); ++at) {
    for (const std::uint32_t value : {0xFFFF'FFFFU, 0x7FFF'FFFFU, 0x8000'0000U, 0xFFFFU}) {
      Bytes file = whole;
      put(file, at, value, 4);
      static_cast<void>(parse_exactly(file, file.size()));
    }
  }
}

TEST(pe_damage, random_damage_is_survived) {
  Prng random(0x7E57);
  const Bytes whole = signed_library();
  for (int round = 0; round < 2000; ++round) {
    Bytes file = whole;
    for (int change = 0; change < 12; ++change) {
      file[random.next() % file.size()] = static_cast<std::uint8_t>(random.next());
    }
    static_cast<void>(parse_exactly(file, random.next() % (file.size() + 1)));
  }
}

TEST(descriptor_damage, every_cut_and_every_flipped_bit_is_survived) {
  const Bytes whole = descriptor("O:BAG:SYD:P(A;;FA;;;SY)(D;OICIIO;FA;;;BU)(A;;0x1200a9;;;WD)");
  ASSERT_TRUE(parse_security_descriptor(view(whole)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto copy = std::make_unique<std::uint8_t[]>(size);
    std::copy_n(whole.begin(), size, copy.get());
    EXPECT_FALSE(parse_security_descriptor(std::as_bytes(std::span(copy.get(), size)))) << size;
  }
  for (std::size_t at = 0; at < whole.size() * 8; ++at) {
    Bytes flipped = whole;
    flipped[at / 8] = static_cast<std::uint8_t>(flipped[at / 8] ^ (1U << at % 8));
    static_cast<void>(parse_security_descriptor(view(flipped)));
  }
}

}  // namespace
}  // namespace asiodrv::trust
