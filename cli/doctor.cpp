#include "cli/doctor.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/console.hpp"
#include "cli/conversation.hpp"
#include "core/base/product.hpp"
#include "doctor/bundle.hpp"
#include "doctor/diagnose.hpp"
#include "doctor/facts_json.hpp"
#include "doctor/gather.hpp"
#include "doctor/probe.hpp"
#include "doctor/repair.hpp"
#include "doctor/report.hpp"
#include "service/json_file.hpp"
#include "service/paths.hpp"
#include "trust/collect.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kLogBytes = 256 * 1024;
constexpr std::size_t kConfigBytes = std::size_t{1} << 20;
constexpr std::uint32_t kFlightRecords = 1000;

std::string json_text(const json& document) {
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

/// The flight record, or why there is none: a bundle is of use all the same.
std::string flight_json(const ClientOptions& options) {
  Conversation session(options);
  if (auto connected = session.connect(); !connected) {
    return json_text({{"missing", connected.error().message}});
  }
  const auto flight = read_flight(session, kFlightRecords);
  return json_text(flight ? *flight : json{{"missing", flight.error().message}});
}

Result<> write_bundle(const ClientOptions& options, const std::string& path,
                      const doctor::Facts& facts, const doctor::Diagnosis& diagnosis,
                      const std::vector<doctor::Repair>& repairs) {
  doctor::BundleContents contents;
  const doctor::Scrubber scrubber(doctor::personal_names());
  contents.report = doctor::report_for_others(facts, diagnosis, repairs, scrubber);
  contents.findings = json_text(doctor::report_json(facts, diagnosis, repairs));
  contents.configuration = doctor::end_of_file(facts.configuration.path, kConfigBytes);
  contents.flight = flight_json(options);
  contents.versions = doctor::versions_text(facts);
  const std::string name =
      kProduct.id + (options.instance.empty() ? std::string() : "-" + options.instance);
  // An agent and a registered service have a file each.
  for (const std::string& log : {name, name + ".service"}) {
    const std::string text = doctor::end_of_file(service::log_path(log), kLogBytes);
    if (!text.empty()) contents.log += "== " + log + ".log\n" + text + "\n";
  }
  const auto bundle = doctor::make_bundle(contents, scrubber);
  if (!bundle) return tl::unexpected<Error>(bundle.error());
  return service::write_whole_file(path, *bundle);
}

Result<doctor::Facts> recorded_facts(const std::string& path) {
  const auto text = trust::read_small_file(path, doctor::kMaxFactsBytes);
  if (text) return doctor::parse_facts(*text);
  return fail(text.error().code,
              text.error().message + " \"asio-driver doctor --json\" makes such a file.");
}

int answer(const ClientOptions& options, const doctor::Facts& facts,
           const doctor::Diagnosis& diagnosis, const std::vector<doctor::Repair>& repairs) {
  if (options.json)
    print_json(doctor::report_json(facts, diagnosis, repairs));
  else
    print(doctor::report_text(facts, diagnosis, repairs));
  return diagnosis.findings.empty() ? kDone : kFound;
}

}  // namespace

std::string wrong_usage(const DoctorOptions& doctor) {
  if (!doctor.facts.empty() && (doctor.fix || doctor.probe || !doctor.bundle.empty())) {
    return "--facts judges another machine: --fix, --probe and --bundle are about this one.";
  }
  return {};
}

int run_doctor(const ClientOptions& options, const DoctorOptions& doctor) {
  if (!doctor.probe_child.empty()) {
    return doctor::run_probe_child(doctor.probe_child, doctor.probe_init);
  }
  if (doctor.causes) {
    if (options.json)
      print_json(doctor::causes_json());
    else
      print(doctor::causes_text());
    return kDone;
  }
  if (!doctor.facts.empty()) {
    const auto facts = recorded_facts(doctor.facts);
    if (!facts) return report(facts.error());
    return answer(options, *facts, doctor::diagnose(*facts), {});
  }
  doctor::GatherOptions gather;
  gather.instance = options.instance;
  gather.config_path = doctor.config;
  gather.probe = doctor.probe;
  gather.probe_limit = std::chrono::seconds{doctor.probe_seconds};
  doctor::Facts facts = doctor::gather(gather);
  doctor::Diagnosis diagnosis = doctor::diagnose(facts);
  std::vector<doctor::Repair> repairs;
  if (doctor.fix) {
    repairs = doctor::repair(diagnosis, facts, gather);
    if (!repairs.empty()) {
      facts = doctor::gather(gather);
      diagnosis = doctor::diagnose(facts);
    }
  }
  if (!doctor.bundle.empty()) {
    const auto written = write_bundle(options, doctor.bundle, facts, diagnosis, repairs);
    if (!written) return report(written.error());
    if (!options.json) print("Written: " + doctor.bundle + "\n\n");
  }
  return answer(options, facts, diagnosis, repairs);
}

}  // namespace asiodrv::cli
