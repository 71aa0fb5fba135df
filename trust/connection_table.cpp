#include "trust/connection_table.hpp"

#include <fmt/format.h>

#include "trust/byte_view.hpp"

namespace asiodrv::trust {
namespace {

constexpr std::uint32_t kListening = 2;

/// Where the members of a row lie; 0 for what a kind has not (no member but the first lies at 0).
struct Row {
  std::uint64_t bytes, local, local_port, remote, remote_port, state, process;
  bool six, tcp;
};

Row row_of(TableKind kind) {
  switch (kind) {
    case TableKind::tcp4: return {24, 4, 8, 12, 16, 0, 20, false, true};
    case TableKind::tcp6: return {56, 0, 20, 24, 44, 48, 52, true, true};
    case TableKind::udp4: return {12, 0, 4, 0, 0, 0, 8, false, false};
    case TableKind::udp6: return {28, 0, 20, 0, 0, 0, 24, true, false};
  }
  return {};
}

std::string address_text(const ByteView& row, std::uint64_t at, std::uint64_t port_at, bool six) {
  // Ports stand in network order in the lower half.
  const std::uint32_t port =
      std::uint32_t{row.u8(port_at).value_or(0)} << 8 | row.u8(port_at + 1).value_or(0);
  const auto byte = [&](std::uint64_t index) { return row.u8(at + index).value_or(0); };
  if (!six) return fmt::format("{}.{}.{}.{}:{}", byte(0), byte(1), byte(2), byte(3), port);
  std::string text = "[";
  for (std::uint64_t index = 0; index < 16; index += 2) {
    text += fmt::format("{}{:x}", index == 0 ? "" : ":",
                        std::uint32_t{byte(index)} << 8 | byte(index + 1));
  }
  return text + fmt::format("]:{}", port);
}

}  // namespace

Result<std::vector<Connection>> connections_of(std::span<const std::byte> table, TableKind kind,
                                               std::uint32_t process) {
  const ByteView bytes(table);
  const Row shape = row_of(kind);
  const auto count = bytes.u32(0);
  if (!count || !bytes.holds(4, std::uint64_t{*count} * shape.bytes)) {
    return fail(ErrorCode::malformed, "The system's table of connections is incomplete.");
  }
  std::vector<Connection> found;
  for (std::uint64_t index = 0; index < *count; ++index) {
    const ByteView row = bytes.part(4 + index * shape.bytes, shape.bytes);
    if (row.u32(shape.process) != process) continue;
    Connection each;
    each.protocol = shape.tcp ? "TCP" : "UDP";
    each.local = address_text(row, shape.local, shape.local_port, shape.six);
    each.listening = !shape.tcp || row.u32(shape.state) == kListening;
    if (!each.listening) {
      each.remote = address_text(row, shape.remote, shape.remote_port, shape.six);
    }
    found.push_back(std::move(each));
  }
  return found;
}

}  // namespace asiodrv::trust
