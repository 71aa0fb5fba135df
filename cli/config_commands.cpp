#include "cli/config_commands.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "cli/config_text.hpp"
#include "cli/console.hpp"
#include "cli/conversation.hpp"
#include "service/config_file.hpp"
#include "service/config_keys.hpp"
#include "service/config_layers.hpp"
#include "service/config_values.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;
using service::ConfigPlaces;
using service::FileChange;
using service::LoadedConfig;
using service::NamedKey;

int wrong_argument(const Error& error) {
  print_error(error.message + "\n");
  return kWrongUsage;
}

int failed(const Error& error) {
  print_error(error.message + "\n");
  return error.code == ErrorCode::invalid_argument ? kWrongUsage : kFailed;
}

// --- after a change ------------------------------------------------------------------------------

/// What became of a change in the service that runs.
struct Reception {
  const char* state = "absent";  ///< absent, in_force, waiting, refused, other_file, unknown
  std::string said;              ///< a sentence for the user
};

/// Tells a running service to read its files anew.
Reception tell_service(const ClientOptions& options, const std::string& path) {
  Conversation session(options);
  if (auto connected = session.connect(); !connected) {
    if (connected.error().code == ErrorCode::service_absent) {
      return {"absent", "No service is running; the next one reads it."};
    }
    return {"unknown", "The running service did not answer: " + connected.error().message};
  }
  const auto now = session.call("config.get");
  if (!now) return {"unknown", "The running service did not answer: " + now.error().message};
  if (now->value("path", "") != path) {
    return {"other_file", fmt::format("The running service reads another file, {}, and goes on as "
                                      "it was.",
                                      now->value("path", "-"))};
  }
  const auto reloaded = session.call("config.reload");
  if (reloaded) return {"in_force", "The running service uses it now."};
  const Error& error = reloaded.error();
  if (error.code == ErrorCode::invalid_state) return {"waiting", error.message};
  if (error.code == ErrorCode::timed_out || error.code == ErrorCode::disconnected) {
    return {"unknown", "The running service did not answer: " + error.message};
  }
  return {"refused", error.message};
}

/// Hands a change on, and takes it back where the service cannot live with it.
int conclude(const ClientOptions& options, const FileChange& change, const std::string& what,
             json report) {
  Reception reception{"unchanged", ""};
  if (change.changed) reception = tell_service(options, change.path);
  const bool refused = std::string_view(reception.state) == "refused";
  bool stays = change.changed;
  if (refused) {
    const auto undone = service::take_back(change);
    stays = !undone;
    reception.said += "\nThe running service refused it, and " +
                      (undone ? std::string("the file is as it was.") : undone.error().message);
  }
  report["file"] = change.path;
  report["changed"] = stays;
  report["service"] = reception.state;
  report["said"] = reception.said;
  if (options.json) {
    print_json(report);
  } else if (!refused) {
    print(what + "\n" + (reception.said.empty() ? "" : reception.said + "\n"));
  }
  if (refused) print_error(reception.said + "\n");
  return refused ? kFailed : kDone;
}

// --- the commands --------------------------------------------------------------------------------

int get_value(const ClientOptions& options, const ConfigPlaces& places, const NamedKey& key) {
  const LoadedConfig loaded = service::load_layers(places);
  if (!loaded.error.empty()) print_error(loaded.error + "\n");
  const std::size_t members = loaded.config.members.size();
  if (key.key->of_member() && key.member >= members) {
    print_error(fmt::format("There are {} sections [[member]].\n", members));
    return kFailed;
  }
  const json entry = config_entry(loaded, key);
  if (options.json)
    print_json(entry);
  else
    print(service::plain_text(entry["value"]) + "\n");
  return loaded.error.empty() ? kDone : kFailed;
}

int set_value(const ClientOptions& options, const ConfigPlaces& places, const NamedKey& key,
              const std::string& typed) {
  const auto value = service::parse_value(*key.key, typed);
  if (!value) return wrong_argument(value.error());
  const auto change = service::set_in_file(places, key, *value);
  if (!change) return failed(change.error());
  const std::string line = fmt::format("{} = {}", key.key->path(), service::toml_text(*value));
  const std::string what = change->changed
                               ? fmt::format("{} is set in {}{}.", line, change->path,
                                             key.key->effect == service::Effect::next_open
                                                 ? ", for programs that open the driver from now on"
                                                 : "")
                               : fmt::format("{} says {} already.", change->path, line);
  return conclude(options, *change, what, {{"key", key.key->path()}, {"value", *value}});
}

int unset_value(const ClientOptions& options, const ConfigPlaces& places, const NamedKey& key) {
  const auto change = service::unset_in_file(places, key);
  if (!change) return failed(change.error());
  const json entry = config_entry(service::load_layers(places), key);
  const std::string rest = fmt::format(
      "{} = {} now, from {}.", key.key->path(), service::toml_text(entry["value"]),
      entry["file"].is_string() ? entry["file"].get<std::string>() : std::string("the defaults"));
  const std::string what =
      change->changed
          ? fmt::format("{} is gone from {}.\n{}", key.key->path(), change->path, rest)
          : fmt::format("{} does not have {}.\n{}", change->path, key.key->path(), rest);
  return conclude(options, *change, what, {{"key", key.key->path()}, {"value", entry["value"]}});
}

int list_values(const ClientOptions& options, const ConfigPlaces& places) {
  const LoadedConfig loaded = service::load_layers(places);
  const json list = config_list(loaded);
  if (options.json)
    print_json(list);
  else
    print(config_list_text(list));
  if (loaded.error.empty()) return kDone;
  print_error(loaded.error + "\n");
  return kFailed;
}

int reset_values(const ClientOptions& options, const ConfigPlaces& places) {
  const auto change = service::reset_file(places);
  if (!change) return failed(change.error());
  const std::string what = change->changed
                               ? fmt::format("{} is now {}.", change->path, change->aside)
                               : fmt::format("There is no {}: nothing to reset.", change->path);
  return conclude(options, *change, what, {{"aside", change->aside}});
}

int validate(const ClientOptions& options, ConfigPlaces places, const std::string& file) {
  if (!file.empty()) {
    places.top = file;
    places.named = true;
  }
  const LoadedConfig loaded = service::load_layers(places);
  const json files = service::layers_json(loaded);
  if (options.json)
    print_json({{"ok", loaded.error.empty()}, {"files", files}});
  else
    print(config_files_text(files));
  if (loaded.error.empty()) return kDone;
  if (!options.json) print_error("The configuration is wrong: see above.\n");
  return kFailed;
}

}  // namespace

int run_config(const ClientOptions& options, const ConfigOptions& config) {
  const ConfigPlaces places = service::config_places(config.config_path);
  if (config.verb == ConfigVerb::list) return list_values(options, places);
  if (config.verb == ConfigVerb::reset) return reset_values(options, places);
  if (config.verb == ConfigVerb::validate) return validate(options, places, config.file);
  const auto key = service::find_key(config.key);
  if (!key) return wrong_argument(key.error());
  if (config.verb == ConfigVerb::get) return get_value(options, places, *key);
  if (config.verb == ConfigVerb::set) return set_value(options, places, *key, config.value);
  return unset_value(options, places, *key);
}

}  // namespace asiodrv::cli
