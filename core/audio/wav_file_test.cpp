#include "core/audio/wav_file.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace asiodrv::audio {
namespace {

/// A path of its own for each test, removed at the end.
class ScratchFile {
 public:
  ScratchFile()
      : path_(::testing::TempDir() + "asiodrv-wav-" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".wav") {}
  ~ScratchFile() { std::remove(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

WavAudio ramp(std::uint32_t channels, std::size_t frames) {
  WavAudio audio;
  audio.rate = {48'000};
  for (std::uint32_t channel = 0; channel < channels; ++channel) {
    std::vector<float> samples(frames);
    for (std::size_t i = 0; i < frames; ++i) {
      samples[i] = static_cast<float>(i + channel * 1000U) / 65536.0F;
    }
    audio.channels.push_back(std::move(samples));
  }
  return audio;
}

TEST(wav_file, a_written_file_reads_back_bit_for_bit) {
  const ScratchFile file;
  const WavAudio audio = ramp(5, 1234);
  ASSERT_TRUE(write_wav_file(file.path(), audio, WavCoding::float32));
  const Result<WavAudio> back = read_wav_file(file.path());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->channels, audio.channels);
}

TEST(wav_file, a_recording_in_pieces_equals_the_whole) {
  for (const std::uint32_t channels : {1U, 2U, 9U}) {
    const ScratchFile file;
    const WavAudio audio = ramp(channels, 1000);
    Result<WavRecorder> recorder =
        WavRecorder::create(file.path(), {audio.rate, channels, WavCoding::float32});
    ASSERT_TRUE(recorder) << recorder.error().message;
    std::size_t done = 0;
    for (const std::uint32_t count : {1U, 299U, 300U, 400U}) {
      std::vector<const float*> blocks;
      for (const auto& channel : audio.channels) blocks.push_back(channel.data() + done);
      ASSERT_TRUE(recorder->append({blocks.data(), channels, {count}}));
      done += count;
    }
    EXPECT_EQ(recorder->frames(), 1000U);
    ASSERT_TRUE(recorder->finish());
    ASSERT_TRUE(recorder->finish());  // idempotent
    const Result<WavAudio> back = read_wav_file(file.path());
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->channels, audio.channels);
  }
}

TEST(wav_file, a_recording_whose_program_died_is_readable_to_its_end) {
  const ScratchFile file;
  Result<WavRecorder> recorder = WavRecorder::create(file.path(), {{48'000}, 2, WavCoding::int16});
  ASSERT_TRUE(recorder);
  ASSERT_TRUE(recorder->append_silence(100'000));
  // Not finished: the bytes so far, as another process finds them (the last ones are still ours).
  const Result<WavAudio> early = read_wav_file(file.path());
  ASSERT_TRUE(early) << early.error().message;
  EXPECT_EQ(early->channels.size(), 2U);
  EXPECT_GT(early->frames(), 90'000U);
}

TEST(wav_file, a_recorder_refuses_blocks_of_another_shape_and_blocks_after_its_end) {
  const ScratchFile file;
  Result<WavRecorder> recorder =
      WavRecorder::create(file.path(), {{48'000}, 2, WavCoding::float32});
  ASSERT_TRUE(recorder);
  const float sample = 0.5F;
  const float* const blocks[]{&sample, &sample, &sample};
  EXPECT_EQ(recorder->append({blocks, 3, {1}}).error().code, ErrorCode::invalid_argument);
  ASSERT_TRUE(recorder->finish());
  EXPECT_EQ(recorder->append({blocks, 2, {1}}).error().code, ErrorCode::invalid_state);
}

TEST(wav_file, a_full_recording_says_so_before_anything_is_written) {
  const ScratchFile file;
  const WavShape shape{{48'000}, 1024, WavCoding::float32};
  Result<WavRecorder> recorder = WavRecorder::create(file.path(), shape);
  ASSERT_TRUE(recorder);
  EXPECT_EQ(recorder->append_silence(max_wav_frames(shape) + 1).error().code,
            ErrorCode::limit_reached);
  EXPECT_EQ(recorder->frames(), 0U);
  EXPECT_TRUE(recorder->append_silence(1));
}

TEST(wav_file, errors_name_the_file) {
  const std::string nowhere = ::testing::TempDir() + "asiodrv-no-such-folder/x.wav";
  for (const Error& error :
       {read_wav_file(nowhere).error(),
        write_wav_file(nowhere, ramp(1, 1), WavCoding::int16).error(),
        WavRecorder::create(nowhere, {{48'000}, 1, WavCoding::int16}).error()}) {
    EXPECT_NE(error.message.find(nowhere), std::string::npos) << error.message;
  }
  const ScratchFile file;
  std::FILE* broken = std::fopen(file.path().c_str(), "wb");
  ASSERT_NE(broken, nullptr);
  std::fputs("this is no sound at all", broken);
  std::fclose(broken);
  const Result<WavAudio> audio = read_wav_file(file.path());
  ASSERT_FALSE(audio);
  EXPECT_EQ(audio.error().code, ErrorCode::malformed);
  EXPECT_NE(audio.error().message.find(file.path()), std::string::npos);
}

}  // namespace
}  // namespace asiodrv::audio
