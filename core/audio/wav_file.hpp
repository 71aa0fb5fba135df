// WAV files on disk: a thin layer over wav.hpp. Control threads only; they block on the disk.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/audio/wav.hpp"
#include "core/base/planar.hpp"
#include "core/base/result.hpp"

namespace asiodrv::audio {

/// Files above this are refused unread.
inline constexpr std::uint64_t kMaxWavFileBytes = std::uint64_t{2} << 30U;

/// Reads a WAV file; `path` is UTF-8. Errors: those of parse_wav, not_found (missing or not
/// readable), limit_reached, out_of_memory; the sentence names the file.
[[nodiscard]] Result<WavAudio> read_wav_file(const std::string& path);

/// Writes a whole WAV file, replacing any other. Errors: those of encode_wav, access_denied (cannot
/// be created), internal (the disk refused).
[[nodiscard]] Result<> write_wav_file(const std::string& path, const WavAudio& audio,
                                      WavCoding coding);

/// Writes a WAV file piece by piece. Until finish() the header says "length unknown", so that a
/// recording whose program died is readable to its end. One thread at a time.
class WavRecorder {
 public:
  /// Replaces the file at `path` (UTF-8). Errors: invalid_argument (no such shape), access_denied.
  [[nodiscard]] static Result<WavRecorder> create(const std::string& path, const WavShape& shape);

  /// Finishes, without a way to report that it failed.
  ~WavRecorder();
  WavRecorder(WavRecorder&&) noexcept = default;
  WavRecorder& operator=(WavRecorder&&) = delete;

  /// Errors: invalid_argument (other channel count), invalid_state (finished), limit_reached (the
  /// file is full: max_wav_frames; nothing was written), internal (the disk refused).
  [[nodiscard]] Result<> append(PlanarView<const float> block);
  [[nodiscard]] Result<> append_silence(std::uint64_t frames);

  /// Patches the sizes and closes. Idempotent. Errors: internal.
  [[nodiscard]] Result<> finish();

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] const WavShape& shape() const noexcept { return shape_; }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  WavRecorder(std::string path, const WavShape& shape, std::unique_ptr<std::FILE, CloseFile> file);
  Result<> check_room(std::uint64_t frames) const;
  Result<> write_scratch();

  std::string path_;
  WavShape shape_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::uint64_t frames_ = 0;
  std::vector<std::byte> scratch_;
};

}  // namespace asiodrv::audio
