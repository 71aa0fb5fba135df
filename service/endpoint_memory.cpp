#include "service/endpoint_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/wire/control.hpp"
#include "core/wire/member_reader.hpp"
#include "service/json_file.hpp"
#include "service/paths.hpp"

namespace asiodrv::service {
namespace {

using devices::wasapi::Flow;
using nlohmann::json;
using wire::MemberReader;

constexpr std::uint32_t kEndpointsVersion = 1;

const char* direction_name(Flow flow) noexcept { return flow == Flow::render ? "output" : "input"; }

bool can_be_read_again(const RememberedEndpoint& endpoint) {
  const auto fits = [](const std::string& text) { return text.size() <= wire::kMaxNameBytes; };
  return fits(endpoint.configured) && fits(endpoint.now.id) && fits(endpoint.now.name) &&
         fits(endpoint.now.description) && fits(endpoint.now.adapter) &&
         fits(endpoint.now.container);
}

Result<RememberedEndpoint> parse_endpoint(const json& entry, const std::string& where) {
  MemberReader reader(entry, where);
  RememberedEndpoint endpoint;
  const std::string direction = reader.text("direction");
  endpoint.flow = direction == direction_name(Flow::capture) ? Flow::capture : Flow::render;
  if (reader.good() && direction != direction_name(endpoint.flow)) {
    reader.refuse("direction", "must be \"output\" or \"input\"");
  }
  endpoint.configured = reader.text("configured");
  endpoint.now.id = reader.text("id");
  endpoint.now.name = reader.text("name");
  endpoint.now.description = reader.text("description");
  endpoint.now.adapter = reader.text("adapter");
  endpoint.now.container = reader.text("container");
  return reader.result(std::move(endpoint));
}

}  // namespace

const RememberedEndpoint* EndpointMemory::find(Flow flow,
                                               const std::string& configured) const noexcept {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const RememberedEndpoint& each) {
    return each.flow == flow && each.configured == configured;
  });
  return found == all_.end() ? nullptr : &*found;
}

bool EndpointMemory::note(RememberedEndpoint endpoint) {
  if (!can_be_read_again(endpoint)) return false;
  const auto same = std::find_if(all_.begin(), all_.end(), [&](const RememberedEndpoint& each) {
    return each.flow == endpoint.flow && each.configured == endpoint.configured;
  });
  bool is_news = true;
  if (same != all_.end()) {
    is_news = !(*same == endpoint);
    all_.erase(same);
  } else if (all_.size() == kMost) {
    all_.erase(all_.begin());
  }
  all_.push_back(std::move(endpoint));
  return is_news;
}

json EndpointMemory::to_json() const {
  json list = json::array();
  for (const RememberedEndpoint& each : all_) {
    list.push_back({{"direction", direction_name(each.flow)},
                    {"configured", each.configured},
                    {"id", each.now.id},
                    {"name", each.now.name},
                    {"description", each.now.description},
                    {"adapter", each.now.adapter},
                    {"container", each.now.container}});
  }
  return {{"version", kEndpointsVersion}, {"endpoints", std::move(list)}};
}

Result<EndpointMemory> EndpointMemory::from_json(const json& document, std::string_view what) {
  const std::string name(what);
  MemberReader reader(document, name);
  const std::uint32_t version = reader.number("version", 1, wire::kAnyNumber);
  if (reader.good() && version != kEndpointsVersion) {
    reader.refuse("version", fmt::format("is {}, and this service reads version {}", version,
                                         kEndpointsVersion));
  }
  const json* const list = reader.list("endpoints", kMost);
  if (!reader.good()) return tl::unexpected<Error>(reader.result(0).error());
  EndpointMemory memory;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string where = fmt::format("{}: endpoints[{}]", name, i);
    auto endpoint = parse_endpoint((*list)[i], where);
    if (!endpoint) return tl::unexpected<Error>(std::move(endpoint.error()));
    if (memory.find(endpoint->flow, endpoint->configured) != nullptr) {
      return fail(ErrorCode::malformed, where + ": the same one stands before it.");
    }
    memory.all_.push_back(std::move(*endpoint));
  }
  return memory;
}

std::string endpoints_path(const std::string& config_path, const std::string& instance) {
  return file_beside(config_path, "endpoints", instance);
}

LoadedEndpoints load_endpoints(const std::string& path) {
  return load_json_file<LoadedEndpoints>(path, "Remembered sound devices",
                                         EndpointMemory::from_json);
}

Result<> save_endpoints(const std::string& path, const EndpointMemory& memory) {
  return write_json_file(path, memory.to_json());
}

}  // namespace asiodrv::service
