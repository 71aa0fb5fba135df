// One element after the other of DER, the encoding of signatures and certificates. Definite lengths
// only: signatures of programs are DER, and whatever is not is reported as unreadable.
#pragma once

#include <optional>
#include <string>

#include "trust/byte_view.hpp"

namespace asiodrv::trust {

inline constexpr std::uint8_t kDerObjectId = 0x06, kDerSequence = 0x30, kDerSet = 0x31;
inline constexpr std::uint8_t kDerContext0 = 0xA0, kDerContext1 = 0xA1;

struct DerElement {
  std::uint8_t tag = 0;
  ByteView content;
  ByteView whole;  ///< with tag and length
};

/// The element that `from` begins with; nothing when it does not fit into it.
[[nodiscard]] std::optional<DerElement> der_element(const ByteView& from);

/// Walks over the elements of a constructed one.
class DerReader {
 public:
  explicit DerReader(ByteView content) : rest_(content) {}
  [[nodiscard]] bool at_end() const noexcept { return rest_.size() == 0; }
  /// The next element; nothing at the end, or where it breaks.
  std::optional<DerElement> next();
  /// The next element if it has this tag; the reader stays where it is otherwise.
  std::optional<DerElement> next(std::uint8_t tag);

 private:
  ByteView rest_;
};

/// "1.2.840.113549.1.9.6"; empty for broken ones.
[[nodiscard]] std::string object_id_text(const ByteView& content);

}  // namespace asiodrv::trust
