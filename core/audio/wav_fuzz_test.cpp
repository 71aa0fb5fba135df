// Property: whatever the bytes, parse_wav returns sound whose channels have one length and finite
// samples, or an error with a sentence; it never reads outside its input (sanitizer builds check).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/audio/wav.hpp"
#include "core/audio/wav_test_image.hpp"
#include "core/base/prng.hpp"

namespace asiodrv::audio {
namespace {

std::vector<std::vector<std::byte>> seeds() {
  using test::Image;
  std::vector<std::vector<std::byte>> files;
  WavAudio audio;
  audio.rate = {48'000};
  audio.channels.assign(3, std::vector<float>(9, 0.5F));
  files.push_back(encode_wav(audio, WavCoding::float32).value());
  files.push_back(encode_wav(audio, WavCoding::int16).value());
  audio.channels.resize(1);
  files.push_back(encode_wav(audio, WavCoding::float32).value());
  for (const std::uint16_t bits : {std::uint16_t{8}, std::uint16_t{24}, std::uint16_t{32}}) {
    files.push_back(test::wav_image(test::pcm_format(2, bits), Image().f64(1.0).f64(2.0).f64(3.0)));
  }
  Image long_file;
  long_file.id("RF64").u32(0xFFFFFFFF).id("WAVE");
  long_file.id("ds64").u32(28).u32(0).u32(0).u32(4).u32(0).u32(2).u32(0).u32(0);
  long_file.id("fmt ").u32(16).append(test::pcm_format(1, 16));
  long_file.id("data").u32(0xFFFFFFFF).u16(0x4000).u16(0x2000);
  files.push_back(long_file.bytes());
  return files;
}

/// Damages up to four places: single bytes, 32-bit words with values that hurt, cuts, doublings.
void mutate(std::vector<std::byte>& file, Prng& prng) {
  constexpr std::uint32_t kNasty[]{0,          1,          2,          0x7F,       0xFF,
                                   0xFFFF,     0xFFFE,     0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
                                   0xFFFFFFF7, 0xFFFFFFFE, 0x7FFFF000, 3,          16};
  for (std::uint64_t change = prng.below(4) + 1; change > 0 && !file.empty(); --change) {
    const auto at = static_cast<std::size_t>(prng.below(file.size()));
    switch (prng.below(5)) {
      case 0: file[at] = static_cast<std::byte>(prng.next() & 0xFFU); break;
      case 1: file[at] ^= static_cast<std::byte>(1U << prng.below(8)); break;
      case 2: {
        const std::uint32_t word = kNasty[prng.below(std::size(kNasty))];
        std::memcpy(file.data() + at, &word, std::min<std::size_t>(4, file.size() - at));
        break;
      }
      case 3: file.resize(at); break;
      case 4: {
        const std::vector<std::byte> part(file.begin() + static_cast<std::ptrdiff_t>(at),
                                          file.end());
        file.insert(file.end(), part.begin(), part.end());
        break;
      }
    }
  }
}

TEST(wav_fuzz, damaged_files_give_sound_or_a_sentence_and_never_harm) {
  const std::vector<std::vector<std::byte>> files = seeds();
  Prng prng(0xF022);
  int read = 0, refused = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::vector<std::byte> file = files[prng.below(files.size())];
    mutate(file, prng);
    file.shrink_to_fit();  // no slack behind the end for a stray read to hide in
    const Result<WavAudio> audio = parse_wav(file);
    if (!audio) {
      ++refused;
      ASSERT_FALSE(audio.error().message.empty());
      continue;
    }
    ++read;
    ASSERT_GT(audio->rate.hz, 0U);
    ASSERT_GE(audio->channels.size(), 1U);
    ASSERT_LE(audio->channels.size() * audio->frames(), file.size());
    for (const std::vector<float>& channel : audio->channels) {
      ASSERT_EQ(channel.size(), audio->frames());
      ASSERT_TRUE(std::all_of(channel.begin(), channel.end(),
                              [](float sample) { return std::isfinite(sample); }));
    }
  }
  EXPECT_GT(read, 10'000);  // the mutations reach both sides
  EXPECT_GT(refused, 10'000);
}

}  // namespace
}  // namespace asiodrv::audio
