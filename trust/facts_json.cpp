#include "trust/facts_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "trust/record_names.hpp"

namespace asiodrv::trust {
namespace {

using nlohmann::json;

template <class T, class Make>
json known(const Known<T>& fact, const Make& make) {
  if (!fact) return json{{"not_known", fact.why_not()}};
  return make(*fact);
}
template <class T>
json known(const Known<T>& fact) {
  return known(fact, [](const T& value) { return json(value); });
}
template <class T, class Make>
json list(const std::vector<T>& entries, const Make& make) {
  json made = json::array();
  for (const T& each : entries) made.push_back(make(each));
  return made;
}

json pe_json(const PeFile& pe) {
  const CertificateTable& table = pe.certificates;
  return {{"machine", pe.machine},
          {"is_64", pe.is_64},
          {"is_library", pe.is_library},
          {"sections_overlap", pe.sections_overlap},
          {"sections_beyond_end", pe.sections_beyond_end},
          {"overlay_bytes", pe.overlay_bytes},
          {"imports", pe.imports},
          {"exports_com_server", pe.exports_com_server},
          {"tables_damaged", pe.tables_damaged},
          {"version",
           {{"company", pe.version.company},
            {"product", pe.version.product},
            {"description", pe.version.description},
            {"file_version", pe.version.file_version},
            {"original_name", pe.version.original_name}}},
          {"version_number", pe.version_number},
          {"several_makers", pe.several_makers},
          {"certificates",
           {{"entries", table.entries},
            {"truncated", table.truncated},
            {"misaligned", table.misaligned},
            {"bytes_after_table", table.bytes_after_table},
            {"unknown_type", table.unknown_type},
            {"unreadable", table.unreadable},
            {"data_in_padding", table.data_in_padding},
            {"unknown_attributes", table.unknown_attributes},
            {"nested_signatures", table.nested_signatures},
            {"timestamped", table.timestamped}}}};
}

json signature_json(const Signature& signature) {
  const Signer& signer = signature.signer;
  return {{"code", signature.code},
          {"chain_errors", signature.chain_errors},
          {"from_catalog", signature.from_catalog},
          {"timestamped", signature.timestamped},
          {"self_signed", signature.self_signed},
          {"root", signature.root},
          {"signer",
           {{"common_name", signer.common_name},
            {"organization", signer.organization},
            {"country", signer.country},
            {"issuer", signer.issuer},
            {"serial", signer.serial},
            {"sha256", signer.sha256},
            {"public_key_sha256", signer.public_key_sha256}}}};
}

json writable_json(const Writable& writable) {
  return {{"answer", kWritabilityNames[static_cast<std::size_t>(writable.answer)]},
          {"where", writable.where},
          {"who", writable.who},
          {"how", writable.how}};
}

json place_json(const Place& place) {
  return {{"kind", place_name(place.kind)},
          {"writable", known(place.writable, writable_json)},
          {"links", place.links},
          {"hard_links", place.hard_links}};
}

json registration_json(const Registration& each) {
  return {{"name", each.name}, {"clsid", each.clsid},     {"description", each.description},
          {"path", each.path}, {"view_32", each.view_32}, {"per_user", each.per_user}};
}

json duplicate_json(const Duplicate& each) {
  return {{"kind", kDuplicateNames[static_cast<std::size_t>(each.kind)]},
          {"other", registration_json(each.other)},
          {"same_content", known(each.same_content)}};
}

json persistence_json(const PersistenceScan& scan) {
  return {{"found", list(scan.found,
                         [](const Persistence& each) {
                           return json{
                               {"kind", kPersistenceNames[static_cast<std::size_t>(each.kind)]},
                               {"where", each.where},
                               {"command", each.command}};
                         })},
          {"not_seen", scan.not_seen}};
}

json module_json(const Module& module) {
  return {{"path", module.path},
          {"signature_code", known(module.signature_code)},
          {"place", place_name(module.place)}};
}

json connection_json(const Connection& each) {
  return {{"protocol", each.protocol},
          {"local", each.local},
          {"remote", each.remote},
          {"listening", each.listening}};
}

json process_json(const ProcessFacts& process) {
  return {
      {"id", process.id},
      {"modules",
       known(process.modules,
             [](const std::vector<Module>& modules) { return list(modules, module_json); })},
      {"connections", known(process.connections,
                            [](const std::vector<Connection>& connections) {
                              return list(connections, connection_json);
                            })},
      {"processor", known(process.processor,
                          [](const Processor& used) {
                            return json{{"percent", used.percent}, {"sample_ms", used.sample_ms}};
                          })},
      {"clients", known(process.clients)}};
}

json file_json(const FileFacts& file) {
  return {{"path", file.path},
          {"exists", file.exists},
          {"size_bytes", known(file.size_bytes)},
          {"sha256", known(file.sha256)},
          {"structure", known(file.structure, pe_json)},
          {"signature", known(file.signature, signature_json)},
          {"place", known(file.place, place_json)},
          {"modified_s", known(file.modified_s)},
          {"internet_zone", known(file.internet_zone)}};
}

}  // namespace

json to_json(const Facts& facts) {
  return {{"subject", facts.subject},
          {"recorded_on", facts.recorded_on},
          {"recorded_at_s", facts.recorded_at_s},
          {"file", file_json(facts.file)},
          {"registrations", known(facts.registrations,
                                  [](const std::vector<Registration>& registrations) {
                                    return list(registrations, registration_json);
                                  })},
          {"duplicates", known(facts.duplicates,
                               [](const std::vector<Duplicate>& duplicates) {
                                 return list(duplicates, duplicate_json);
                               })},
          {"persistence", known(facts.persistence, persistence_json)},
          {"process", list(facts.process, process_json)}};
}

std::string_view place_name(PlaceKind kind) noexcept {
  return kPlaceNames[static_cast<std::size_t>(kind)];
}

}  // namespace asiodrv::trust
