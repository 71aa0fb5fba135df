#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "devices/wasapi/endpoints.hpp"

namespace asiodrv::devices::wasapi {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// The one that fits: the only active one, else the only one. Two that fit alike fit not at all.
struct Fits {
  const EndpointInfo* endpoint = nullptr;
  bool several = false;
};

Fits only_one(std::span<const EndpointInfo> endpoints, Flow flow,
              const std::function<bool(const EndpointInfo&)>& fits) {
  for (const bool active : {true, false}) {
    Fits found;
    for (const EndpointInfo& endpoint : endpoints) {
      if (endpoint.flow != flow || endpoint.active() != active || !fits(endpoint)) continue;
      found.several = found.endpoint != nullptr;
      if (found.several) return {nullptr, true};
      found.endpoint = &endpoint;
    }
    if (found.endpoint != nullptr) return found;
  }
  return {};
}

std::string names_of(std::span<const EndpointInfo> endpoints, Flow flow) {
  std::string names;
  for (const EndpointInfo& endpoint : endpoints) {
    if (endpoint.flow != flow || !endpoint.active()) continue;
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", endpoint.name);
  }
  return names.empty() ? "none" : names;
}

const char* flow_name(Flow flow) { return flow == Flow::render ? "output" : "input"; }

}  // namespace

std::string name_without_number(const std::string& name) {
  // The number stands at the beginning or behind a parenthesis: digits, "- ".
  std::string result;
  for (std::size_t at = 0; at < name.size();) {
    if (at == 0 || name[at - 1] == '(') {
      std::size_t end = at;
      while (end < name.size() && name[end] >= '0' && name[end] <= '9') ++end;
      if (end > at && name.compare(end, 2, "- ") == 0) at = end + 2;
      if (at >= name.size()) break;
    }
    result.push_back(name[at++]);
  }
  return result;
}

EndpointMatch match_endpoint(std::span<const EndpointInfo> endpoints, Flow flow,
                             const EndpointIdentity& remembered) {
  for (const EndpointInfo& endpoint : endpoints) {
    if (endpoint.flow == flow && !remembered.id.empty() && endpoint.id == remembered.id) {
      return {&endpoint, MatchedBy::id, fmt::format("\"{}\" has kept its id.", endpoint.name)};
    }
  }
  if (!remembered.container.empty()) {
    const Fits box = only_one(endpoints, flow, [&](const EndpointInfo& endpoint) {
      return endpoint.container == remembered.container &&
             endpoint.description == remembered.description;
    });
    if (box.endpoint != nullptr) {
      return {box.endpoint, MatchedBy::container,
              fmt::format("\"{}\" has a new id, and is the same part of the same box.",
                          box.endpoint->name)};
    }
  }
  const std::string wanted = name_without_number(remembered.name);
  const Fits named = only_one(endpoints, flow, [&](const EndpointInfo& endpoint) {
    return !wanted.empty() && name_without_number(endpoint.name) == wanted;
  });
  if (named.endpoint != nullptr) {
    return {named.endpoint, MatchedBy::name,
            fmt::format("\"{}\" has a new id, and the name that was remembered.",
                        named.endpoint->name)};
  }
  return {nullptr, MatchedBy::nothing,
          fmt::format("There is no {} that is \"{}\"{}; there are: {}.", flow_name(flow),
                      remembered.name, named.several ? " and the only one" : "",
                      names_of(endpoints, flow))};
}

Result<const EndpointInfo*> choose_endpoint(std::span<const EndpointInfo> endpoints, Flow flow,
                                            const std::string& text) {
  for (const EndpointInfo& endpoint : endpoints) {
    if (endpoint.flow != flow) continue;
    if (endpoint.id == text || (text == "default" && endpoint.is_default)) return &endpoint;
  }
  const std::string wanted = lower(text);
  const Fits named = only_one(endpoints, flow, [&](const EndpointInfo& endpoint) {
    return lower(endpoint.name) == wanted;
  });
  if (named.endpoint != nullptr) return named.endpoint;
  const Fits described = only_one(endpoints, flow, [&](const EndpointInfo& endpoint) {
    return lower(endpoint.description) == wanted;
  });
  if (described.endpoint != nullptr) return described.endpoint;
  if (named.several || described.several) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("Several {}s are named \"{}\". Give the id of one, as the list of "
                            "devices shows it.",
                            flow_name(flow), text));
  }
  return fail(ErrorCode::not_found,
              fmt::format("There is no {} \"{}\". Accepted are \"default\", an id, or a name; "
                          "there are: {}.",
                          flow_name(flow), text, names_of(endpoints, flow)));
}

}  // namespace asiodrv::devices::wasapi
