// The ends of routes: names, numbers and what they lead to.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/wire/section.hpp"
#include "service/studio.hpp"

namespace asiodrv::service {
namespace {

constexpr std::size_t kMaxEndBytes = 256;
constexpr std::uint32_t kMaxChannelNumber = 65'536;

char fold(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view b) noexcept { return compare_names(a, b) == 0; }

const char* prefix(Role role) noexcept { return role == Role::source ? "in" : "out"; }
/// A program's source is what it puts out.
const char* program_prefix(Role role) noexcept { return role == Role::source ? "out" : "in"; }

/// A whole number from 1, or nothing.
std::optional<std::uint32_t> channel_number(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{} || stopped != end) return std::nullopt;
  if (number < 1 || number > kMaxChannelNumber) return std::nullopt;
  return number;
}

tl::unexpected<Error> no_port(std::string_view text) {
  return fail(ErrorCode::malformed,
              fmt::format("\"{}\" is not a port. Ports are in:1 and out:1 of the device, "
                          "CABLE:1, PROGRAM/out:1 and PROGRAM/in:1; channels count from 1.",
                          text));
}

/// "NAME:NUMBER", split at the last colon.
struct NameAndChannel {
  std::string_view name;
  std::uint32_t channel = 0;  // from 0
};
std::optional<NameAndChannel> split(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto number = channel_number(text.substr(colon + 1));
  if (!number) return std::nullopt;
  return NameAndChannel{text.substr(0, colon), *number - 1};
}

int compare_ends(const End& a, const End& b) noexcept {
  if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
  if (const int order = compare_names(a.program, b.program); order != 0) return order;
  if (const int order = compare_names(a.cable, b.cable); order != 0) return order;
  if (a.channel != b.channel) return a.channel < b.channel ? -1 : 1;
  return 0;
}

}  // namespace

int compare_names(std::string_view a, std::string_view b) noexcept {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const auto left = static_cast<unsigned char>(fold(a[i]));
    const auto right = static_cast<unsigned char>(fold(b[i]));
    if (left != right) return left < right ? -1 : 1;
  }
  if (a.size() == b.size()) return 0;
  return a.size() < b.size() ? -1 : 1;
}

bool EndsLess::operator()(const Ends& a, const Ends& b) const noexcept {
  const int order = compare_ends(a.source, b.source);
  return order != 0 ? order < 0 : compare_ends(a.sink, b.sink) < 0;
}

const Cable* Studio::find_cable(std::string_view name) const noexcept {
  for (const Cable& cable : cables_) {
    if (same(cable.name, name)) return &cable;
  }
  return nullptr;
}

// --- the channels that programs see --------------------------------------------------------------

std::uint32_t Studio::program_channels(Role role) const noexcept {
  std::uint32_t count = role == Role::source ? device_.outputs : device_.inputs;
  for (const Cable& cable : cables_) count += cable.channels;
  return std::min(count, wire::kMaxChannels);
}

std::optional<engine::Port> Studio::partner(Role role, std::uint32_t channel) const noexcept {
  if (channel >= program_channels(role)) return std::nullopt;
  const std::uint32_t own = role == Role::source ? device_.outputs : device_.inputs;
  if (channel < own) return engine::device_port(channel);
  channel -= own;
  for (const Cable& cable : cables_) {
    if (channel < cable.channels) return engine::Port{engine::Node::cable, cable.id, channel};
    channel -= cable.channels;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Studio::program_channel(Role role, const engine::Port& port) const {
  std::uint32_t first = role == Role::source ? device_.outputs : device_.inputs;
  std::optional<std::uint32_t> found;
  if (port.node == engine::Node::device && port.channel < first) found = port.channel;
  if (port.node == engine::Node::cable) {
    for (const Cable& cable : cables_) {
      if (cable.id == port.owner && port.channel < cable.channels) found = first + port.channel;
      first += cable.channels;
    }
  }
  if (found && *found >= program_channels(role)) return std::nullopt;
  return found;
}

std::vector<std::string> Studio::cable_channel_names(Role role) const {
  const std::uint32_t own = role == Role::source ? device_.outputs : device_.inputs;
  const std::uint32_t room = program_channels(role) - std::min(own, program_channels(role));
  std::vector<std::string> names;
  for (const Cable& cable : cables_) {
    for (std::uint32_t i = 1; i <= cable.channels && names.size() < room; ++i) {
      names.push_back(fmt::format("{} {}", cable.name, i));
    }
  }
  return names;
}

// --- reading -------------------------------------------------------------------------------------

Result<End> Studio::parse_end(std::string_view text, Role role) const {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (!plain || text.empty() || text.size() > kMaxEndBytes) {
    return fail(
        ErrorCode::malformed,
        fmt::format("A port is 1 to {} bytes of text without control characters.", kMaxEndBytes));
  }
  const std::size_t slash = text.rfind('/');
  if (slash != std::string_view::npos) return parse_program_end(text, slash, role);
  const auto parts = split(text);
  if (!parts) return no_port(text);
  if (same(parts->name, "in") || same(parts->name, "out")) {
    if (same(parts->name, prefix(role))) return End{EndKind::device, {}, {}, parts->channel};
    return fail(ErrorCode::invalid_argument,
                role == Role::source
                    ? fmt::format("{} is an output of the device: a route ends there. It begins at "
                                  "in:N, PROGRAM/out:N or CABLE:N.",
                                  text)
                    : fmt::format("{} is an input of the device: a route begins there. It ends at "
                                  "out:N, PROGRAM/in:N or CABLE:N.",
                                  text));
  }
  const Cable* const cable = find_cable(parts->name);
  return End{EndKind::cable,
             {},
             cable != nullptr ? cable->name : std::string(parts->name),
             parts->channel};
}

Result<End> Studio::parse_program_end(std::string_view text, std::size_t slash, Role role) const {
  const std::string_view program = text.substr(0, slash);
  const std::string_view rest = text.substr(slash + 1);
  const std::size_t colon = rest.find(':');
  if (program.empty() || colon == std::string_view::npos) return no_port(text);
  if (program.size() > kMaxProgramBytes) {
    return fail(ErrorCode::malformed,
                fmt::format("A program's name has at most {} bytes here.", kMaxProgramBytes));
  }
  const std::string_view side = rest.substr(0, colon);
  const std::string_view channel = rest.substr(colon + 1);
  if (!same(side, "in") && !same(side, "out")) return no_port(text);
  if (!same(side, program_prefix(role))) {
    return fail(ErrorCode::invalid_argument,
                role == Role::source
                    ? fmt::format("{} is an input of a program: a route ends there. It begins at "
                                  "in:N, PROGRAM/out:N or CABLE:N.",
                                  text)
                    : fmt::format("{} is an output of a program: a route begins there. It ends at "
                                  "out:N, PROGRAM/in:N or CABLE:N.",
                                  text));
  }
  End end{EndKind::program, std::string(program), {}, 0};
  if (const auto number = channel_number(channel)) {
    const auto leads_to = partner(role, *number - 1);
    if (!leads_to) {
      return fail(ErrorCode::not_found,
                  fmt::format("Programs see {} {}puts, cables included; there is no {}.",
                              program_channels(role), program_prefix(role), text));
    }
    end.channel = leads_to->channel;
    for (const Cable& cable : cables_) {
      if (leads_to->node == engine::Node::cable && cable.id == leads_to->owner) {
        end.cable = cable.name;
      }
    }
    return end;
  }
  const auto parts = split(channel);
  if (!parts || parts->name.find(':') != std::string_view::npos) return no_port(text);
  end.channel = parts->channel;
  if (same(parts->name, program_prefix(role))) return end;
  if (same(parts->name, "in") || same(parts->name, "out")) return no_port(text);
  const Cable* const cable = find_cable(parts->name);
  end.cable = cable != nullptr ? cable->name : std::string(parts->name);
  return end;
}

// --- writing -------------------------------------------------------------------------------------

std::string Studio::text(const End& end, Role role) const {
  if (end.kind == EndKind::program) {
    const auto leads_to = place(end);
    const auto number = leads_to ? program_channel(role, *leads_to) : std::nullopt;
    if (number) return fmt::format("{}/{}:{}", end.program, program_prefix(role), *number + 1);
  }
  return stored_text(end, role);
}

/// The form that depends on nothing else: a program's channel by its partner.
std::string Studio::stored_text(const End& end, Role role) const {
  switch (end.kind) {
    case EndKind::device: return fmt::format("{}:{}", prefix(role), end.channel + 1);
    case EndKind::cable: return fmt::format("{}:{}", end.cable, end.channel + 1);
    case EndKind::program: break;
  }
  return fmt::format("{}/{}:{}:{}", end.program, program_prefix(role),
                     end.cable.empty() ? program_prefix(role) : end.cable, end.channel + 1);
}

// --- what is there -------------------------------------------------------------------------------

/// The device's or cable's port; of a program's end its partner. Channels are not judged.
std::optional<engine::Port> Studio::place(const End& end) const noexcept {
  if (end.kind != EndKind::cable && end.cable.empty()) return engine::device_port(end.channel);
  const Cable* const cable = find_cable(end.cable);
  if (cable == nullptr) return std::nullopt;
  return engine::Port{engine::Node::cable, cable->id, end.channel};
}

std::optional<std::string> Studio::missing(const End& end, Role role) const {
  if (end.kind != EndKind::cable && end.cable.empty()) {
    // A program's output is the partner of a device's output.
    const bool input = (end.kind == EndKind::device) == (role == Role::source);
    const std::uint32_t count = input ? device_.inputs : device_.outputs;
    if (end.channel < count) return std::nullopt;
    return fmt::format("{} has {} {}puts; there is no {}.", device_.name, count,
                       input ? "in" : "out", text(end, role));
  }
  const Cable* const cable = find_cable(end.cable);
  if (cable == nullptr) {
    std::vector<std::string> names;
    for (const Cable& each : cables_) names.push_back(each.name);
    return cables_.empty()
               ? fmt::format("There is no cable \"{}\"; there is none at all yet.", end.cable)
               : fmt::format("There is no cable \"{}\"; the cables are {}.", end.cable,
                             fmt::join(names, ", "));
  }
  if (end.channel >= cable->channels) {
    return fmt::format("The cable {} has {} channels; there is no {}:{}.", cable->name,
                       cable->channels, cable->name, end.channel + 1);
  }
  return std::nullopt;
}

}  // namespace asiodrv::service
