#include "core/audio/wav.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/audio/wav_test_image.hpp"

namespace asiodrv::audio {
namespace {

using test::Image;
using test::pcm_format;
using test::wav_image;

/// A mono file of the given coding and sample bytes.
Result<WavAudio> parse_mono(std::uint16_t tag, std::uint16_t bits, std::uint16_t container_bytes,
                            const Image& samples) {
  Image format;
  format.u16(tag).u16(1).u32(48'000).u32(0).u16(container_bytes).u16(bits);
  return parse_wav(wav_image(format, samples));
}

std::vector<float> mono(const Result<WavAudio>& audio) {
  if (!audio) {
    ADD_FAILURE() << audio.error().message;
    return {};
  }
  return audio->channels.front();
}

TEST(wav, reads_every_integer_width_at_full_scale_one) {
  EXPECT_EQ(mono(parse_mono(1, 8, 1, Image().u8(0).u8(128).u8(255).u8(64))),
            (std::vector<float>{-1.0F, 0.0F, 127.0F / 128, -0.5F}));
  EXPECT_EQ(mono(parse_mono(1, 16, 2, Image().u16(0x8000).u16(0x4000).u16(1))),
            (std::vector<float>{-1.0F, 0.5F, 1.0F / 32768}));
  EXPECT_EQ(mono(parse_mono(1, 24, 3, Image().u24(0x800000).u24(0x400000).u24(0xFFFFFF))),
            (std::vector<float>{-1.0F, 0.5F, -1.0F / 8388608}));
  EXPECT_EQ(mono(parse_mono(1, 32, 4, Image().u32(0x80000000).u32(0x40000000).u32(0x100))),
            (std::vector<float>{-1.0F, 0.5F, 1.0F / 8388608}));
}

TEST(wav, reads_20_bits_in_24_and_24_bits_in_32_as_left_justified) {
  EXPECT_EQ(mono(parse_mono(1, 20, 3, Image().u24(0x800000).u24(0x000010))),
            (std::vector<float>{-1.0F, 1.0F / 524288}));
  EXPECT_EQ(mono(parse_mono(1, 24, 4, Image().u32(0x40000000).u32(0xFFFFFF00))),
            (std::vector<float>{0.5F, -1.0F / 8388608}));
}

TEST(wav, reads_float_of_32_and_64_bits_exactly_and_nothing_that_is_no_number) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(mono(parse_mono(3, 32, 4, Image().f32(0.1F).f32(-7.0F).f32(inf).f32(NAN))),
            (std::vector<float>{0.1F, -7.0F, 1.0F, 0.0F}));
  EXPECT_EQ(mono(parse_mono(3, 64, 8, Image().f64(0.5).f64(-1e300).f64(NAN).f64(0.1))),
            (std::vector<float>{0.5F, -1.0F, 0.0F, 0.1F}));
}

TEST(wav, reads_extensible_headers_of_pcm_and_float) {
  for (const std::uint16_t tag : {std::uint16_t{1}, std::uint16_t{3}}) {
    Image format;
    format.u16(0xFFFE).u16(2).u32(96'000).u32(0).u16(8).u16(32).u16(22).u16(32).u32(0);
    format.u16(tag).u16(0).u32(0x00100000).u32(0xAA000080).u32(0x719B3800);
    const Image samples =
        tag == 3 ? Image().f32(0.5F).f32(-0.25F) : Image().u32(0x40000000).u32(0xE0000000);
    const Result<WavAudio> audio = parse_wav(wav_image(format, samples));
    ASSERT_TRUE(audio) << audio.error().message;
    EXPECT_EQ(audio->rate, SampleRate{96'000});
    EXPECT_EQ(audio->channels, (std::vector<std::vector<float>>{{0.5F}, {-0.25F}}));
  }
}

TEST(wav, skips_unknown_chunks_of_odd_size_with_their_padding) {
  Image file;
  file.id("RIFF").u32(0).id("WAVE");
  file.id("junk").u32(3).u8(1).u8(2).u8(3).u8(0);
  file.id("fmt ").u32(16).append(pcm_format(1, 16));
  file.id("LIST").u32(1).u8(9).u8(0);
  file.id("data").u32(2).u16(0x4000);
  file.id("tail").u32(1).u8(9);  // the padding byte is missing
  EXPECT_EQ(mono(parse_wav(file.bytes())), std::vector<float>{0.5F});
}

TEST(wav, takes_no_notice_of_a_wrong_riff_size) {
  for (const std::uint32_t size : {0U, 1U, 0xFFFFFFFFU, 0x80000000U}) {
    std::vector<std::byte> file = wav_image(pcm_format(1, 16), Image().u16(0x4000));
    std::memcpy(file.data() + 4, &size, sizeof size);
    EXPECT_EQ(mono(parse_wav(file)), std::vector<float>{0.5F});
  }
}

TEST(wav, reads_a_data_chunk_of_unknown_size_to_the_end_in_whole_frames) {
  for (const std::uint32_t size : {0U, 0xFFFFFFFFU, 0x7FFFF000U, 0x80000000U}) {
    Image file;
    file.id("RIFF").u32(size).id("WAVE").id("fmt ").u32(16).append(pcm_format(2, 16));
    file.id("data").u32(size).u16(0x4000).u16(0xC000).u16(0x2000).u16(0xE000).u8(1);
    const Result<WavAudio> audio = parse_wav(file.bytes());
    ASSERT_TRUE(audio) << audio.error().message;
    EXPECT_EQ(audio->channels, (std::vector<std::vector<float>>{{0.5F, 0.25F}, {-0.5F, -0.25F}}));
  }
}

TEST(wav, an_empty_data_chunk_before_other_chunks_is_empty_sound) {
  Image file;
  file.id("RIFF").u32(0).id("WAVE").id("fmt ").u32(16).append(pcm_format(2, 16));
  file.id("data").u32(0).id("LIST").u32(4).u32(7).id("junk").u32(1).u8(0).u8(0);
  const Result<WavAudio> audio = parse_wav(file.bytes());
  ASSERT_TRUE(audio) << audio.error().message;
  EXPECT_EQ(audio->channels.size(), 2U);
  EXPECT_EQ(audio->frames(), 0U);
}

TEST(wav, reads_rf64_by_its_64_bit_size) {
  Image file;
  file.id("RF64").u32(0xFFFFFFFF).id("WAVE");
  file.id("ds64").u32(28).u32(0).u32(0).u32(4).u32(0).u32(2).u32(0).u32(0);
  file.id("fmt ").u32(16).append(pcm_format(1, 16));
  file.id("data").u32(0xFFFFFFFF).u16(0x4000).u16(0x2000).id("LIST").u32(0);
  EXPECT_EQ(mono(parse_wav(file.bytes())), (std::vector<float>{0.5F, 0.25F}));
}

struct Broken {
  const char* what;
  ErrorCode code;
  const char* named;  ///< must appear in the sentence
  std::vector<std::byte> file;
};

std::vector<Broken> broken_files() {
  const Image two = Image().u16(1).u16(2);
  const auto with_format = [&](const Image& format) { return wav_image(format, two); };
  const auto format = [](std::uint16_t tag, std::uint16_t channels, std::uint32_t rate,
                         std::uint16_t frame, std::uint16_t bits) {
    return Image().u16(tag).u16(channels).u32(rate).u32(0).u16(frame).u16(bits);
  };
  const Image riff = Image().id("RIFF").u32(0).id("WAVE");
  return {
      {"empty", ErrorCode::malformed, "0 bytes", {}},
      {"not RIFF", ErrorCode::malformed, "'OggS'", Image().id("OggS").u32(0).id("WAVE").bytes()},
      {"not WAVE", ErrorCode::malformed, "'AVI ' at byte 8",
       Image().id("RIFF").u32(0).id("AVI ").bytes()},
      {"no chunks", ErrorCode::malformed, "fmt", riff.bytes()},
      {"no data", ErrorCode::malformed, "without a data chunk",
       Image(riff).id("fmt ").u32(16).append(pcm_format(1, 16)).bytes()},
      {"data first", ErrorCode::malformed, "before any fmt chunk",
       Image(riff).id("data").u32(2).u16(1).bytes()},
      {"chunk beyond the end", ErrorCode::malformed, "'junk' at byte 12",
       Image(riff).id("junk").u32(100).u16(1).bytes()},
      {"data cut short", ErrorCode::malformed, "promises 8",
       Image(riff).id("fmt ").u32(16).append(pcm_format(1, 16)).id("data").u32(8).u16(1).bytes()},
      {"half a frame", ErrorCode::malformed, "whole frames of 4",
       Image(riff).id("fmt ").u32(16).append(pcm_format(2, 16)).id("data").u32(2).u16(1).bytes()},
      {"short fmt", ErrorCode::malformed, "at least 16",
       Image(riff).id("fmt ").u32(14).u32(0).u32(0).u32(0).u16(0).bytes()},
      {"two fmt", ErrorCode::malformed, "second fmt",
       Image(riff)
           .id("fmt ")
           .u32(16)
           .append(pcm_format(1, 16))
           .id("fmt ")
           .u32(16)
           .append(pcm_format(1, 16))
           .bytes()},
      {"short extensible", ErrorCode::malformed, "needs 40",
       with_format(format(0xFFFE, 1, 48'000, 2, 16))},
      {"adpcm", ErrorCode::unsupported, "integer PCM", with_format(format(2, 1, 48'000, 2, 4))},
      {"no channels", ErrorCode::malformed, "1 to 1024", with_format(format(1, 0, 48'000, 2, 16))},
      {"2000 channels", ErrorCode::limit_reached, "1 to 1024",
       with_format(format(1, 2000, 48'000, 4000, 16))},
      {"rate 0", ErrorCode::malformed, "sample rate at byte 24",
       with_format(format(1, 1, 0, 2, 16))},
      {"frame 0", ErrorCode::malformed, "multiple of the 1 channels",
       with_format(format(1, 1, 48'000, 0, 16))},
      {"frame no multiple", ErrorCode::malformed, "multiple of the 2 channels",
       with_format(format(1, 2, 48'000, 3, 16))},
      {"too many bits", ErrorCode::malformed, "24 bits in 2 bytes",
       with_format(format(1, 1, 48'000, 2, 24))},
      {"64-bit integers", ErrorCode::malformed, "64 bits",
       with_format(format(1, 1, 48'000, 8, 64))},
      {"16-bit float", ErrorCode::malformed, "16 bits", with_format(format(3, 1, 48'000, 2, 16))},
  };
}

TEST(wav, a_broken_file_is_refused_with_what_is_wrong_where_and_what_is_accepted) {
  for (const Broken& broken : broken_files()) {
    const Result<WavAudio> audio = parse_wav(broken.file);
    ASSERT_FALSE(audio) << broken.what;
    EXPECT_EQ(audio.error().code, broken.code) << broken.what << ": " << audio.error().message;
    EXPECT_NE(audio.error().message.find(broken.named), std::string::npos)
        << broken.what << ": " << audio.error().message;
  }
}

TEST(wav, a_file_cut_anywhere_is_refused) {
  WavAudio audio;
  audio.rate = {44'100};
  audio.channels.assign(3, std::vector<float>(5, 0.5F));
  const Result<std::vector<std::byte>> whole = encode_wav(audio, WavCoding::float32);
  ASSERT_TRUE(whole);
  for (std::size_t size = 0; size < whole->size(); ++size) {
    // An exact copy, so that a sanitizer sees any read behind the end.
    const std::vector<std::byte> cut(whole->begin(), whole->begin() + static_cast<long>(size));
    EXPECT_FALSE(parse_wav(cut)) << size;
  }
}

TEST(wav, writes_what_it_reads_back_bit_for_bit_as_float32) {
  for (const std::uint32_t channels : {1U, 2U, 3U, 8U, 1024U}) {
    WavAudio audio;
    audio.rate = {192'000};
    for (std::uint32_t i = 0; i < channels; ++i) {
      audio.channels.push_back({0.1F * static_cast<float>(i), -0.0F, 1e-40F, -3.5F, 0.7F});
    }
    const Result<std::vector<std::byte>> file = encode_wav(audio, WavCoding::float32);
    ASSERT_TRUE(file) << file.error().message;
    const Result<WavAudio> back = parse_wav(*file);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->rate, audio.rate);
    ASSERT_EQ(back->channels.size(), channels);
    for (std::uint32_t i = 0; i < channels; ++i) {
      EXPECT_EQ(std::memcmp(back->channels[i].data(), audio.channels[i].data(), 20), 0);
    }
  }
}

TEST(wav, writes_int16_rounded_and_clipped) {
  WavAudio audio;
  audio.rate = {48'000};
  audio.channels = {{0.5F, 2.0F, -2.0F, 2.5F / 32768}};
  const Result<std::vector<std::byte>> file = encode_wav(audio, WavCoding::int16);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(mono(parse_wav(*file)),
            (std::vector<float>{0.5F, 32767.0F / 32768, -1.0F, 2.0F / 32768}));
}

TEST(wav, writes_sizes_that_agree_with_the_file) {
  for (const WavCoding coding : {WavCoding::float32, WavCoding::int16}) {
    for (const std::size_t channels : {1U, 2U, 6U}) {
      WavAudio audio;
      audio.rate = {48'000};
      audio.channels.assign(channels, std::vector<float>(7, 0.0F));
      const std::vector<std::byte> file = encode_wav(audio, coding).value();
      std::uint32_t riff = 0, data = 0;
      std::memcpy(&riff, file.data() + 4, 4);
      const std::size_t samples = 7 * channels * wav_sample_bytes(coding);
      std::memcpy(&data, file.data() + file.size() - samples - 4, 4);
      EXPECT_EQ(riff + 8, file.size());
      EXPECT_EQ(data, samples);
    }
  }
}

TEST(wav, refuses_to_write_what_no_file_can_hold) {
  WavAudio audio;
  EXPECT_EQ(encode_wav(audio, WavCoding::int16).error().code, ErrorCode::invalid_argument);
  audio.channels = {{0.0F}};
  EXPECT_EQ(encode_wav(audio, WavCoding::int16).error().code, ErrorCode::invalid_argument);
  audio.rate = {48'000};
  EXPECT_TRUE(encode_wav(audio, WavCoding::int16));
  audio.channels = {{0.0F}, {0.0F, 0.0F}};
  EXPECT_EQ(encode_wav(audio, WavCoding::int16).error().code, ErrorCode::invalid_argument);
  audio.channels.assign(1025, {});
  EXPECT_EQ(encode_wav(audio, WavCoding::int16).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace asiodrv::audio
