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

constexpr std::string_view kUsbChoice = "usb:";

/// The best endpoint of one interface; null when it has none.
const EndpointInfo* of_interface(std::span<const EndpointInfo> endpoints, Flow flow,
                                 const std::string& usb) {
  const EndpointInfo* found = nullptr;
  const auto rank = [](const EndpointInfo& e) {
    return (e.active() ? 2 : 0) + (e.is_default ? 1 : 0);
  };
  for (const EndpointInfo& endpoint : endpoints) {
    if (endpoint.flow != flow || usb.empty() || endpoint.usb != usb) continue;
    if (found == nullptr || rank(endpoint) > rank(*found)) found = &endpoint;
  }
  return found;
}

/// The first of the interfaces in `list` ("1234:5678,...") that is plugged in, else the first that
/// the system knows.
const EndpointInfo* first_interface(std::span<const EndpointInfo> endpoints, Flow flow,
                                    const std::string& list) {
  const EndpointInfo* known = nullptr;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const EndpointInfo* const found = of_interface(endpoints, flow, list.substr(at, end - at));
    if (found != nullptr && found->active()) return found;
    if (known == nullptr) known = found;
    at = end + 1;
  }
  return known;
}

/// Four hexadecimal digits after `mark`, in lower case; empty when they are not there.
std::string digits_after(const std::string& text, const std::string& mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return {};
  std::string digits = text.substr(at + mark.size(), 4);
  const bool good =
      digits.size() == 4 && digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  return good ? digits : std::string();
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

std::string usb_numbers(const std::string& adapter_path) {
  const std::string path = lower(adapter_path);
  if (path.find("usb\\") == std::string::npos) return {};
  const std::string vendor = digits_after(path, "vid_");
  const std::string product = digits_after(path, "pid_");
  return vendor.empty() || product.empty() ? std::string() : vendor + ":" + product;
}

EndpointMatch match_endpoint(std::span<const EndpointInfo> endpoints, Flow flow,
                             const EndpointIdentity& remembered) {
  EndpointMatch kept;
  for (const EndpointInfo& endpoint : endpoints) {
    if (endpoint.flow == flow && !remembered.id.empty() && endpoint.id == remembered.id) {
      kept = {&endpoint, MatchedBy::id, fmt::format("\"{}\" has kept its id.", endpoint.name)};
    }
  }
  // Windows goes on listing what an old driver has left behind, as not present: beside the same
  // part of the same box, which is there, it is a memory. A name alone would not do: a second
  // interface of its kind has the same one.
  const bool memory = kept.endpoint != nullptr && kept.endpoint->state == kNotPresent;
  if (kept.endpoint != nullptr && !memory) return kept;
  if (!remembered.container.empty()) {
    const Fits box = only_one(endpoints, flow, [&](const EndpointInfo& endpoint) {
      return endpoint.container == remembered.container &&
             endpoint.description == remembered.description;
    });
    if (box.endpoint != nullptr && (!memory || box.endpoint->active())) {
      return {box.endpoint, MatchedBy::container,
              fmt::format("\"{}\" has a new id, and is the same part of the same box.",
                          box.endpoint->name)};
    }
  }
  if (memory) return kept;
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
    if (text == "default" && endpoint.is_default) return &endpoint;
    if (endpoint.id == text) return match_endpoint(endpoints, flow, endpoint).endpoint;
  }
  if (text == "default") {
    return fail(ErrorCode::not_found,
                fmt::format("Windows has no {} now. Plug one in, or enable one in its sound "
                            "settings.",
                            flow_name(flow)));
  }
  const std::string wanted = lower(text);
  if (wanted.starts_with(kUsbChoice)) {
    const std::string list = wanted.substr(kUsbChoice.size());
    if (const EndpointInfo* const found = first_interface(endpoints, flow, list)) return found;
    return fail(ErrorCode::not_found,
                fmt::format("None of the interfaces {} has an {} here. Plug one in, or choose "
                            "another device; there are: {}.",
                            list, flow_name(flow), names_of(endpoints, flow)));
  }
  const Fits named = only_one(endpoints, flow, [&](const EndpointInfo& endpoint) {
    return lower(endpoint.name) == wanted;
  });
  if (named.endpoint != nullptr) return named.endpoint;
  const Fits described = only_one(endpoints, flow, [&](const EndpointInfo& endpoint) {
    return lower(endpoint.description) == wanted;
  });
  if (described.endpoint != nullptr) return described.endpoint;
  // The number changes with the socket, and with the driver.
  const Fits numbered = only_one(endpoints, flow, [&](const EndpointInfo& endpoint) {
    return name_without_number(lower(endpoint.name)) == name_without_number(wanted);
  });
  if (!named.several && !described.several && numbered.endpoint != nullptr) {
    return numbered.endpoint;
  }
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
