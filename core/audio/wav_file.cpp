#include "core/audio/wav_file.hpp"

#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

#ifdef _WIN32
#include <filesystem>
#endif

namespace asiodrv::audio {
namespace {

enum class OpenMode { read, write };

std::FILE* open_file(const std::string& path, OpenMode mode) noexcept {
#ifdef _WIN32
  try {  // the C library's narrow names are not UTF-8 there
    const std::u8string utf8(path.begin(), path.end());
    return _wfopen(std::filesystem::path(utf8).c_str(), mode == OpenMode::read ? L"rb" : L"wb");
  } catch (const std::exception&) {
    return nullptr;  // not UTF-8
  }
#else
  return std::fopen(path.c_str(), mode == OpenMode::read ? "rb" : "wb");
#endif
}

auto disk_refused(const std::string& path) {
  return fail(ErrorCode::internal,
              "Writing " + path + " failed: check the free space of its disk.");
}

Result<WavAudio> read_whole(const std::string& path) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(open_file(path, OpenMode::read), close);
  if (!file) {
    return fail(ErrorCode::not_found, "The WAV file " + path + " can not be opened for reading.");
  }
  // Read until the end instead of asking for a size: the path may name a pipe or a growing file.
  constexpr std::size_t kSlice = std::size_t{1} << 20U;
  std::vector<std::byte> bytes;
  for (;;) {
    const std::size_t start = bytes.size();
    bytes.resize(start + kSlice);
    const std::size_t count = std::fread(bytes.data() + start, 1, kSlice, file.get());
    bytes.resize(start + count);
    if (bytes.size() > kMaxWavFileBytes) {
      return fail(ErrorCode::limit_reached, "The WAV file " + path + " is larger than " +
                                                std::to_string(kMaxWavFileBytes >> 20U) + " MiB.");
    }
    if (count < kSlice) break;
  }
  if (std::ferror(file.get()) != 0) {
    return fail(ErrorCode::not_found, "The WAV file " + path + " can not be read.");
  }
  Result<WavAudio> audio = parse_wav(bytes);
  if (!audio) return fail(audio.error().code, path + ": " + audio.error().message);
  return audio;
}

}  // namespace

Result<WavAudio> read_wav_file(const std::string& path) {
  const auto refused = [&] {
    return fail(ErrorCode::out_of_memory,
                "The WAV file " + path + " does not fit into this machine's memory.");
  };
  try {
    return read_whole(path);
  } catch (const std::bad_alloc&) {
    return refused();
  } catch (const std::length_error&) {  // more than a 32-bit program can address
    return refused();
  }
}

Result<> write_wav_file(const std::string& path, const WavAudio& audio, WavCoding coding) {
  const Result<std::vector<std::byte>> bytes = encode_wav(audio, coding);
  if (!bytes) return tl::unexpected(bytes.error());
  std::FILE* file = open_file(path, OpenMode::write);
  if (file == nullptr) {
    return fail(ErrorCode::access_denied, "The WAV file " + path + " can not be created.");
  }
  const bool written = std::fwrite(bytes->data(), 1, bytes->size(), file) == bytes->size();
  const bool closed = std::fclose(file) == 0;
  if (!written || !closed) return disk_refused(path);
  return {};
}

Result<WavRecorder> WavRecorder::create(const std::string& path, const WavShape& shape) {
  if (Result<> checked = check_wav_shape(shape); !checked) return tl::unexpected(checked.error());
  std::unique_ptr<std::FILE, CloseFile> file(open_file(path, OpenMode::write));
  if (!file) {
    return fail(ErrorCode::access_denied, "The WAV file " + path + " can not be created.");
  }
  WavRecorder recorder(path, shape, std::move(file));
  recorder.scratch_ = wav_header(shape, max_wav_frames(shape) + 1);  // length unknown
  if (Result<> written = recorder.write_scratch(); !written) return tl::unexpected(written.error());
  return recorder;
}

WavRecorder::WavRecorder(std::string path, const WavShape& shape,
                         std::unique_ptr<std::FILE, CloseFile> file)
    : path_(std::move(path)), shape_(shape), file_(std::move(file)) {}

WavRecorder::~WavRecorder() { static_cast<void>(finish()); }

Result<> WavRecorder::check_room(std::uint64_t frames) const {
  if (!file_) return fail(ErrorCode::invalid_state, "The recording " + path_ + " is finished.");
  if (frames > max_wav_frames(shape_) - frames_) {
    return fail(ErrorCode::limit_reached, "The recording " + path_ + " is full: a WAV file of " +
                                              "this shape holds " +
                                              std::to_string(max_wav_frames(shape_)) + " frames.");
  }
  return {};
}

Result<> WavRecorder::write_scratch() {
  if (std::fwrite(scratch_.data(), 1, scratch_.size(), file_.get()) != scratch_.size()) {
    return disk_refused(path_);
  }
  return {};
}

Result<> WavRecorder::append(PlanarView<const float> block) {
  if (block.channels != shape_.channels) {
    return fail(ErrorCode::invalid_argument,
                "The recording " + path_ + " has " + std::to_string(shape_.channels) +
                    " channels, the block " + std::to_string(block.channels) + ".");
  }
  if (Result<> room = check_room(block.frames.count); !room) return room;
  scratch_.clear();
  append_wav_samples(scratch_, shape_.coding, {block.blocks, block.channels}, block.frames.count);
  if (Result<> written = write_scratch(); !written) return written;
  frames_ += block.frames.count;
  return {};
}

Result<> WavRecorder::append_silence(std::uint64_t frames) {
  if (Result<> room = check_room(frames); !room) return room;
  constexpr std::size_t kSliceBytes = std::size_t{1} << 16U;
  const std::size_t slice = kSliceBytes / shape_.frame_bytes();  // a frame has at most 4 KiB
  while (frames > 0) {
    const std::size_t count = frames < slice ? static_cast<std::size_t>(frames) : slice;
    scratch_.assign(count * shape_.frame_bytes(), std::byte{0});
    if (Result<> written = write_scratch(); !written) return written;
    frames_ += count;
    frames -= count;
  }
  return {};
}

Result<> WavRecorder::finish() {
  if (!file_) return {};
  scratch_ = wav_header(shape_, frames_);
  const bool patched = std::fseek(file_.get(), 0, SEEK_SET) == 0 && write_scratch().has_value();
  const bool closed = std::fclose(file_.release()) == 0;
  if (!patched || !closed) return disk_refused(path_);
  return {};
}

}  // namespace asiodrv::audio
