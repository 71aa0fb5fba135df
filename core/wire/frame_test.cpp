#include "core/wire/frame.hpp"

#include <gtest/gtest.h>

#include <random>

namespace asiodrv::wire {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(frame, length_is_little_endian) {
  const auto frame = encode_frame("{}");
  ASSERT_TRUE(frame);
  EXPECT_EQ(*frame, bytes_of({2, 0, 0, 0, '{', '}'}));
}

TEST(frame, messages_survive_any_cutting_of_the_stream) {
  std::vector<std::string> sent;
  std::vector<std::byte> stream;
  for (std::size_t size = 1; size < 3000; size = size * 3 + 1) {
    sent.emplace_back(size, static_cast<char>('a' + sent.size()));
    const auto frame = encode_frame(sent.back());
    stream.insert(stream.end(), frame->begin(), frame->end());
  }
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U}) {
    std::mt19937 random(seed);
    FrameReader reader;
    std::vector<std::string> received;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t piece = std::min<std::size_t>(random() % 700, stream.size() - at);
      reader.feed(std::span(stream).subspan(at, piece));
      at += piece;
      for (auto message = reader.next(); *message; message = reader.next()) {
        received.push_back(**message);
      }
    }
    EXPECT_EQ(received, sent);
    EXPECT_FALSE(reader.partial());
  }
}

TEST(frame, half_written_message_is_partial) {
  FrameReader reader;
  EXPECT_FALSE(reader.partial());
  reader.feed(bytes_of({9, 0}));
  EXPECT_FALSE(*reader.next());
  EXPECT_TRUE(reader.partial());
}

TEST(frame, empty_and_oversize_lengths_break_the_stream_for_good) {
  for (const auto& header : {bytes_of({0, 0, 0, 0}), bytes_of({1, 0, 4, 0}),
                             bytes_of({0xFF, 0xFF, 0xFF, 0xFF}), bytes_of({0, 0, 0, 0x80})}) {
    FrameReader reader;
    reader.feed(header);
    const auto refused = reader.next();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::malformed);
    reader.feed(bytes_of({2, 0, 0, 0, '{', '}'}));
    EXPECT_FALSE(reader.next());
  }
}

TEST(frame, largest_message_passes_and_one_byte_more_is_refused) {
  const std::string largest(kMaxMessageBytes, 'x');
  const auto frame = encode_frame(largest);
  ASSERT_TRUE(frame);
  FrameReader reader;
  reader.feed(*frame);
  EXPECT_EQ(reader.next().value(), largest);
  EXPECT_EQ(encode_frame(largest + "x").error().code, ErrorCode::limit_reached);
  EXPECT_EQ(encode_frame("").error().code, ErrorCode::malformed);
}

}  // namespace
}  // namespace asiodrv::wire
