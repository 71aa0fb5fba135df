// The way back: records into facts.
#include <fmt/format.h>

#include <algorithm>

#include "trust/facts_json.hpp"
#include "trust/record_names.hpp"
#include "trust/record_reader.hpp"

namespace asiodrv::trust {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 16;

PeFile read_pe(const RecordReader& record) {
  record.need({"is_64", "is_library", "sections_overlap", "sections_beyond_end",
               "exports_com_server", "tables_damaged", "version", "several_makers",
               "certificates"});
  PeFile pe;
  pe.machine = record.number<std::uint16_t>("machine");
  pe.is_64 = record.yes("is_64");
  pe.is_library = record.yes("is_library");
  pe.sections_overlap = record.yes("sections_overlap");
  pe.sections_beyond_end = record.yes("sections_beyond_end");
  pe.overlay_bytes = record.number<std::uint64_t>("overlay_bytes");
  pe.imports = record.texts("imports");
  pe.exports_com_server = record.yes("exports_com_server");
  pe.tables_damaged = record.yes("tables_damaged");
  const RecordReader version = record.object("version");
  pe.version = {version.text("company"), version.text("product"), version.text("description"),
                version.text("file_version"), version.text("original_name")};
  pe.version_number = record.text("version_number");
  pe.several_makers = record.yes("several_makers");
  const RecordReader table = record.object("certificates");
  table.need({"entries", "truncated", "misaligned", "bytes_after_table", "unknown_type",
              "unreadable", "data_in_padding", "unknown_attributes"});
  pe.certificates.entries = table.number<std::uint32_t>("entries");
  pe.certificates.truncated = table.yes("truncated");
  pe.certificates.misaligned = table.yes("misaligned");
  pe.certificates.bytes_after_table = table.number<std::uint64_t>("bytes_after_table");
  pe.certificates.unknown_type = table.yes("unknown_type");
  pe.certificates.unreadable = table.yes("unreadable");
  pe.certificates.data_in_padding = table.yes("data_in_padding");
  pe.certificates.unknown_attributes = table.texts("unknown_attributes");
  pe.certificates.nested_signatures = table.number<std::uint32_t>("nested_signatures");
  pe.certificates.timestamped = table.yes("timestamped");
  return pe;
}

/// A signature without a code would read as valid: the code must be there.
std::uint32_t required_code(const RecordReader& record) {
  const auto code = record.known_number<std::uint32_t>("code");
  if (!code) record.wrong("code", "the number that the system's check gave");
  return code.value_or(1);
}

Signature read_signature(const RecordReader& record) {
  Signature signature;
  record.need({"chain_errors"});
  signature.code = required_code(record);
  signature.chain_errors = record.number<std::uint32_t>("chain_errors");
  signature.from_catalog = record.yes("from_catalog");
  signature.timestamped = record.yes("timestamped");
  signature.self_signed = record.yes("self_signed");
  signature.root = record.text("root");
  const RecordReader signer = record.object("signer");
  signature.signer = {signer.text("common_name"),      signer.text("organization"),
                      signer.text("country"),          signer.text("issuer"),
                      signer.text("serial"),           signer.text("sha256"),
                      signer.text("public_key_sha256")};
  return signature;
}

Writable read_writable(const RecordReader& record) {
  return {record.choice<Writability>("answer", kWritabilityNames), record.text("where"),
          record.text("who"), record.text("how")};
}

Place read_place(const RecordReader& record) {
  Place place;
  place.kind = record.choice<PlaceKind>("kind", kPlaceNames);
  place.writable = record.known_object<Writable>("writable", read_writable);
  place.links = record.texts("links");
  place.hard_links = record.number<std::uint32_t>("hard_links");
  return place;
}

Registration read_registration(const RecordReader& record) {
  record.need({"name", "clsid", "path", "per_user"});
  return {record.text("name"), record.text("clsid"),  record.text("description"),
          record.text("path"), record.yes("view_32"), record.yes("per_user")};
}

Known<bool> read_same(const RecordReader& record) {
  return record.known<bool>("same_content", [&](const json& value, const char* name) {
    if (!value.is_boolean()) record.wrong(name, "true or false");
    return value.is_boolean() && value.get<bool>();
  });
}

Duplicate read_duplicate(const RecordReader& record) {
  return {record.choice<DuplicateKind>("kind", kDuplicateNames),
          read_registration(record.object("other")), read_same(record)};
}

PersistenceScan read_persistence(const RecordReader& record) {
  record.need({"found", "not_seen"});
  PersistenceScan scan;
  scan.found = record.list<Persistence>("found", [](const RecordReader& each) {
    return Persistence{each.choice<PersistenceKind>("kind", kPersistenceNames), each.text("where"),
                       each.text("command")};
  });
  scan.not_seen = record.texts("not_seen");
  return scan;
}

Module read_module(const RecordReader& record) {
  return {record.text("path"), record.known_number<std::uint32_t>("signature_code"),
          record.choice<PlaceKind>("place", kPlaceNames)};
}

Connection read_connection(const RecordReader& record) {
  return {record.text("protocol"), record.text("local"), record.text("remote"),
          record.yes("listening")};
}

ProcessFacts read_process(const RecordReader& record) {
  ProcessFacts process;
  process.id = record.number<std::uint32_t>("id");
  process.modules = record.known_list<Module>("modules", read_module);
  process.connections = record.known_list<Connection>("connections", read_connection);
  process.processor = record.known_object<Processor>("processor", [](const RecordReader& used) {
    return Processor{used.real("percent"), used.number<std::uint32_t>("sample_ms")};
  });
  process.clients = record.known_number<std::uint32_t>("clients");
  return process;
}

Known<std::string> known_text(const RecordReader& record, const char* member) {
  return record.known<std::string>(member, [&](const json& value, const char* name) {
    if (!value.is_string()) record.wrong(name, "a text");
    return value.is_string() ? value.get<std::string>() : std::string();
  });
}

FileFacts read_file(const RecordReader& record) {
  FileFacts file;
  file.path = record.text("path");
  file.exists = record.yes("exists", true);
  file.size_bytes = record.known_number<std::uint64_t>("size_bytes");
  file.sha256 = known_text(record, "sha256");
  file.structure = record.known_object<PeFile>("structure", read_pe);
  file.signature = record.known_object<Signature>("signature", read_signature);
  file.place = record.known_object<Place>("place", read_place);
  file.modified_s = record.known_number<std::int64_t>("modified_s");
  file.internet_zone = record.known_number<std::uint32_t>("internet_zone");
  return file;
}

/// A later version may say "dangerous" in words that this one does not read.
Result<> is_of_this_version(const json& document) {
  const auto format = document.find("format");
  if (format != document.end() && *format != kRecordFormat) {
    return fail(ErrorCode::unsupported, "The file is no record of \"verify --json\".");
  }
  const auto version = document.find("version");
  if (version != document.end() && *version != kRecordVersion) {
    return fail(ErrorCode::unsupported,
                fmt::format("The record is not of version {}, which this program reads. Judge it "
                            "with the program that made it, or with a newer one.",
                            kRecordVersion));
  }
  return {};
}

/// No list anywhere in `value` is longer than we are willing to look at.
bool lists_are_bounded(const json& value) {
  if (!value.is_structured()) return true;
  if (value.size() > kMaxListed) return false;
  return std::all_of(value.begin(), value.end(), lists_are_bounded);
}

}  // namespace

Result<Facts> facts_from_json(const json& object) {
  std::string mistake;
  const RecordReader record(object, {}, mistake);
  Facts facts;
  facts.subject = record.text("subject");
  facts.recorded_on = record.text("recorded_on");
  facts.recorded_at_s = record.number<std::int64_t>("recorded_at_s");
  facts.file = read_file(record.object("file"));
  facts.registrations = record.known_list<Registration>("registrations", read_registration);
  facts.duplicates = record.known_list<Duplicate>("duplicates", read_duplicate);
  facts.persistence = record.known_object<PersistenceScan>("persistence", read_persistence);
  facts.process = record.list<ProcessFacts>("process", read_process);
  if (facts.file.path.empty()) record.wrong("file.path", "the path of a file");
  if (!mistake.empty()) {
    return fail(ErrorCode::malformed,
                fmt::format("The record is not one of \"verify --json\": {}.", mistake));
  }
  return facts;
}

Result<std::vector<Facts>> parse_record(std::string_view text) {
  if (text.size() > kMaxRecordBytes) {
    return fail(ErrorCode::limit_reached,
                fmt::format("The record is larger than {} MiB.", kMaxRecordBytes >> 20));
  }
  const json document = json::parse(
      text, [](int depth, json::parse_event_t, json&) { return depth <= kMaxDepth; }, false);
  if (!document.is_object() || !lists_are_bounded(document)) {
    return fail(ErrorCode::malformed,
                "The record is no JSON document as \"verify --json\" prints it.");
  }
  if (const auto known = is_of_this_version(document); !known) return refusal(known);
  std::vector<Facts> all;
  const auto subjects = document.find("subjects");
  if (subjects == document.end()) {
    auto facts = facts_from_json(document);
    if (!facts) return refusal(facts);
    all.push_back(std::move(*facts));
    return all;
  }
  if (!subjects->is_array() || subjects->empty() || subjects->size() > kMaxSubjects) {
    return fail(ErrorCode::malformed,
                fmt::format("\"subjects\" of the record must be a list of 1 to {}.", kMaxSubjects));
  }
  for (const json& each : *subjects) {
    const bool has_facts = each.is_object() && each.contains("facts");
    auto facts = facts_from_json(has_facts ? each["facts"] : each);
    if (!facts) {
      return fail(facts.error().code,
                  fmt::format("Subject {}: {}", all.size() + 1, facts.error().message));
    }
    all.push_back(std::move(*facts));
  }
  return all;
}

}  // namespace asiodrv::trust
