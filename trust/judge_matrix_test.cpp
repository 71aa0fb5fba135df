// The matrix of docs/verify.md: one genuine driver, one thing changed at a time, the verdict and
// the finding that must come of it. Each case also goes through the record and back, the way of
// "verify --facts". What Wine can show runs again on real files in
// tests/integration/test_verify_signed.py.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "trust/facts_json.hpp"
#include "trust/judge.hpp"
#include "trust/report.hpp"
#include "trust/testing/example_facts.hpp"

namespace asiodrv::trust {
namespace {

using testing::genuine_facts;
using testing::genuine_process;

struct MatrixCase {
  const char* name;
  Verdict verdict;
  const char* finding;
  std::function<void(Facts&)> change;
  bool process = false;
  Expectations expectations = {};
};

void sign_with(Facts& facts, std::uint32_t code) { facts.file.signature->code = code; }

void unsign(Facts& facts) {
  facts.file.signature = Signature{};
  facts.file.signature->code = 0x800B0100;
  facts.file.structure->certificates = {};
}

void lie_in(Facts& facts, PlaceKind kind) { facts.file.place->kind = kind; }

void may_be_written(Facts& facts) {
  facts.file.place->writable =
      Writable{Writability::yes, "C:\\Example", "S-1-5-11", "add files to the folder"};
}

void persist(Facts& facts, PersistenceKind kind) {
  facts.persistence->found.push_back({kind, "somewhere", facts.file.path});
}

Expectations accepting(const std::string& signer) { return {{signer}, {}}; }

Expectations released(const std::string& sha256, const std::string& name) {
  return {{}, {{sha256, name}}};
}

Registration other_registration(const std::string& name) {
  return {name, "{99999999-2222-3333-4444-555555555555}", name, "C:\\Other\\example.dll", false,
          false};
}

constexpr Verdict kGenuine = Verdict::genuine, kUndecided = Verdict::undecided;
constexpr Verdict kSuspicious = Verdict::suspicious, kDangerous = Verdict::dangerous;

const std::vector<MatrixCase>& matrix() {
  static const std::vector<MatrixCase> cases = {
      {"genuine", kGenuine, "signature_valid", [](Facts&) {}},
      {"genuine by a catalog", kGenuine, "signature_valid",
       [](Facts& f) {
         f.file.signature->from_catalog = true;
         f.file.structure->certificates = {};
       }},
      {"genuine, our own with an accepted name", kGenuine, "signer_expected", [](Facts&) {}, true,
       accepting("Example Audio GmbH")},
      {"genuine, signed through Microsoft's programme", kGenuine, "signed_for_vendor",
       [](Facts& f) {
         f.file.signature->signer.common_name =
             "Microsoft Windows Hardware Compatibility Publisher";
         f.file.signature->signer.organization = "Microsoft Corporation";
       }},
      {"unsigned", kSuspicious, "unsigned", unsign},
      {"unsigned, and everybody can change it", kDangerous, "unsigned_in_open_place",
       [](Facts& f) {
         unsign(f);
         may_be_written(f);
       }},
      {"tampered", kDangerous, "modified_after_signing",
       [](Facts& f) { sign_with(f, 0x80096010); }},
      {"bytes appended", kDangerous, "bytes_after_signature",
       [](Facts& f) { f.file.structure->certificates.bytes_after_table = 8; }},
      {"untrusted root", kSuspicious, "signer_not_provable",
       [](Facts& f) { sign_with(f, 0x800B0109); }},
      {"untrusted root that the check lets pass", kSuspicious, "signer_not_provable",
       [](Facts& f) { f.file.signature->chain_errors = 0x20; }},
      {"untrusted root with an accepted key", kGenuine, "signer_expected",
       [](Facts& f) { sign_with(f, 0x800B0109); }, false, accepting(std::string(64, 'D'))},
      {"untrusted root with an accepted name only", kSuspicious, "signer_not_provable",
       [](Facts& f) { sign_with(f, 0x800B010A); }, false, accepting("Example Audio GmbH")},
      {"self-signed", kSuspicious, "self_signed",
       [](Facts& f) {
         sign_with(f, 0x800B0109);
         f.file.signature->self_signed = true;
       }},
      {"expired", kSuspicious, "certificate_expired", [](Facts& f) { sign_with(f, 0x800B0101); }},
      {"expired since, with a timestamp", kGenuine, "signature_valid",
       [](Facts& f) { f.file.signature->chain_errors = 0x1; }},
      {"revoked", kDangerous, "certificate_revoked", [](Facts& f) { sign_with(f, 0x800B010C); }},
      {"explicitly distrusted", kDangerous, "signer_distrusted",
       [](Facts& f) { sign_with(f, 0x800B0111); }},
      {"a certificate for something else", kSuspicious, "certificate_for_something_else",
       [](Facts& f) { sign_with(f, 0x800B0110); }},
      {"refused by a policy", kSuspicious, "refused_by_policy",
       [](Facts& f) { sign_with(f, 0x80092026); }},
      {"a code that nobody knows", kUndecided, "signature_undecided",
       [](Facts& f) { sign_with(f, 0x80004005); }},
      {"good signature in Temp", kSuspicious, "wrong_place",
       [](Facts& f) { lie_in(f, PlaceKind::temporary); }},
      {"good signature in Downloads", kSuspicious, "wrong_place",
       [](Facts& f) { lie_in(f, PlaceKind::downloads); }},
      {"good signature in Public", kSuspicious, "wrong_place",
       [](Facts& f) { lie_in(f, PlaceKind::public_files); }},
      {"good signature in a user's own folder", kSuspicious, "wrong_place",
       [](Facts& f) { lie_in(f, PlaceKind::profile); }},
      {"in a folder that users can write", kSuspicious, "user_writable", may_be_written},
      {"perhaps writable", kUndecided, "perhaps_writable",
       [](Facts& f) {
         f.file.place->writable = Writable{Writability::cannot_rule_out, "C:\\Example",
                                           "S-1-5-21-9", "add files to the folder"};
       }},
      {"its access rights are not known", kUndecided, "writable_unknown",
       [](Facts& f) { f.file.place->writable = Known<Writable>::unknown("no rights"); }},
      {"another driver with the same file name", kSuspicious, "same_name_elsewhere",
       [](Facts& f) {
         f.duplicates->push_back(
             {DuplicateKind::same_file_name, other_registration("Other"), false});
       }},
      {"another driver whose name looks the same", kSuspicious, "look_alike_name",
       [](Facts& f) {
         f.duplicates->push_back(
             {DuplicateKind::similar_name, other_registration("Examp1e ASIO"), false});
       }},
      {"the same file registered once more", kGenuine, "copy_elsewhere",
       [](Facts& f) {
         f.duplicates->push_back(
             {DuplicateKind::same_file_name, other_registration("Other"), true});
       }},
      {"the user's registry leads elsewhere", kDangerous, "class_overridden",
       [](Facts& f) { f.registrations->front().per_user = true; }},
      {"registered without a folder", kSuspicious, "relative_path",
       [](Facts& f) { f.registrations->front().path = "example.dll"; }},
      {"a renamed other program", kSuspicious, "renamed_program",
       [](Facts& f) { f.file.structure->version.original_name = "keylogger.exe"; }},
      {"registered, and no driver", kSuspicious, "not_a_driver",
       [](Facts& f) { f.file.structure->exports_com_server = false; }},
      {"registered, and its functions cannot be read", kUndecided, "perhaps_no_driver",
       [](Facts& f) {
         f.file.structure->exports_com_server = false;
         f.file.structure->tables_damaged = true;
       }},
      {"registered, and not there", kSuspicious, "file_missing",
       [](Facts& f) { f.file.exists = false; }},
      {"a foreign signer claims our name", kDangerous, "foreign_signer",
       [](Facts& f) { f.file.structure->version.product = "asio-driver"; }, false,
       accepting("The Real Vendor")},
      {"a foreign signer claims our name, by an expired certificate", kDangerous, "foreign_signer",
       [](Facts& f) {
         f.file.structure->version.product = "asio-driver";
         sign_with(f, 0x800B0101);
       },
       false, accepting("The Real Vendor")},
      {"a foreign signer claims our name, by a certificate for something else", kDangerous,
       "foreign_signer",
       [](Facts& f) {
         f.file.structure->version.product = "asio-driver";
         f.file.signature->chain_errors = 0x30;  // nor is its root trusted
       },
       false, accepting("The Real Vendor")},
      {"our name and an accepted one, expired", kSuspicious, "certificate_expired",
       [](Facts& f) { sign_with(f, 0x800B0101); }, true, accepting("Example Audio GmbH")},
      {"our name without a signature", kDangerous, "ours_unsigned", unsign, true,
       accepting("The Real Vendor")},
      {"the signer is not the vendor", kSuspicious, "signer_is_not_vendor",
       [](Facts& f) { f.file.structure->version.company = "Steinway Software"; }},
      {"it names no maker", kUndecided, "no_claimed_vendor",
       [](Facts& f) { f.file.structure->version.company.clear(); }},
      {"it names several makers", kSuspicious, "several_makers",
       [](Facts& f) { f.file.structure->several_makers = true; }},
      {"a Run key starts it", kSuspicious, "other_persistence",
       [](Facts& f) { persist(f, PersistenceKind::run_key); }},
      {"a scheduled task starts it", kSuspicious, "other_persistence",
       [](Facts& f) { persist(f, PersistenceKind::scheduled_task); }},
      {"a service loads it", kSuspicious, "other_persistence",
       [](Facts& f) { persist(f, PersistenceKind::service); }},
      {"it is loaded into every program", kSuspicious, "other_persistence",
       [](Facts& f) { persist(f, PersistenceKind::injected); }},
      {"our program as a service", kGenuine, "runs_as_service",
       [](Facts& f) { persist(f, PersistenceKind::service); }, true},
      {"another program is started in its place", kDangerous, "replaced_at_start",
       [](Facts& f) { persist(f, PersistenceKind::image_hijack); }, true},
      {"two certificates", kSuspicious, "several_certificates",
       [](Facts& f) { f.file.structure->certificates.entries = 2; }},
      {"a truncated certificate table", kSuspicious, "certificate_table_broken",
       [](Facts& f) { f.file.structure->certificates.truncated = true; }},
      {"data in the padding", kSuspicious, "data_in_padding",
       [](Facts& f) { f.file.structure->certificates.data_in_padding = true; }},
      {"unsigned data in the signature", kSuspicious, "extra_unsigned_data",
       [](Facts& f) { f.file.structure->certificates.unknown_attributes = {"1.2.3"}; }},
      {"overlapping sections", kSuspicious, "sections_broken",
       [](Facts& f) { f.file.structure->sections_overlap = true; }},
      {"an unreadable file", kUndecided, "structure_unknown",
       [](Facts& f) {
         f.file.structure = Known<PeFile>::unknown("access denied");
         f.file.signature = Known<Signature>::unknown("access denied");
       }},
      {"the hash is in the release", kGenuine, "hash_listed", [](Facts&) {}, false,
       released(std::string(64, 'a'), "other.dll")},
      {"another hash in the release", kDangerous, "hash_differs", [](Facts&) {}, false,
       released(std::string(64, 'b'), "EXAMPLE.dll")},
      {"ours, and not in the release", kSuspicious, "hash_not_listed", [](Facts&) {}, true,
       released(std::string(64, 'b'), "other.dll")},
      {"our idle service", kGenuine, "no_connections", [](Facts&) {}, true},
      {"network while idle", kDangerous, "network_use",
       [](Facts& f) {
         f.process[0].connections->push_back({"TCP", "10.0.0.2:50000", "9.9.9.9:443", false});
       },
       true},
      {"network of another program", kSuspicious, "network_use",
       [](Facts& f) {
         f.file.path = "C:\\Program Files\\Example\\daw.exe";
         f.file.structure->version = {"Example Audio GmbH", "DAW", "", "1", "daw.exe"};
         f.process[0].connections->push_back({"TCP", "10.0.0.2:50000", "9.9.9.9:443", false});
       },
       true},
      {"busy while idle", kSuspicious, "busy_while_idle",
       [](Facts& f) {
         f.process[0].processor = Processor{30.0, 1000};
       },
       true},
      {"busy while somebody plays", kGenuine, "processor",
       [](Facts& f) {
         f.process[0].processor = Processor{30.0, 1000};
         f.process[0].clients = std::uint32_t{1};
       },
       true},
      {"an unsigned library inside", kSuspicious, "unsigned_module",
       [](Facts& f) {
         f.process[0].modules->push_back(
             {"C:\\Tools\\hook.dll", std::uint32_t{0x800B0100}, PlaceKind::other});
       },
       true},
      {"an unsigned library from Temp inside", kDangerous, "unsigned_module",
       [](Facts& f) {
         f.process[0].modules->push_back({"C:\\Users\\me\\AppData\\Local\\Temp\\x.dll",
                                          std::uint32_t{0x800B0100}, PlaceKind::temporary});
       },
       true},
      {"a changed library inside", kDangerous, "bad_module",
       [](Facts& f) {
         f.process[0].modules->push_back(
             {"C:\\Windows\\System32\\user32.dll", std::uint32_t{0x80096010}, PlaceKind::system});
       },
       true},
      {"its libraries are not known", kUndecided, "modules_unknown",
       [](Facts& f) { f.process[0].modules = Known<std::vector<Module>>::unknown("no rights"); },
       true},
      {"its connections are not known", kUndecided, "connections_unknown",
       [](Facts& f) {
         f.process[0].connections = Known<std::vector<Connection>>::unknown("no rights");
       },
       true},
  };
  return cases;
}

Facts facts_of(const MatrixCase& each) {
  Facts facts = each.process ? genuine_process() : genuine_facts();
  each.change(facts);
  return facts;
}

bool has_finding(const Judged& judged, const std::string& id) {
  return std::any_of(judged.findings.begin(), judged.findings.end(),
                     [&](const Finding& finding) { return finding.id == id; });
}

TEST(judge_matrix, every_case_gets_its_verdict_for_its_reason) {
  std::set<std::string> names;
  for (const MatrixCase& each : matrix()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name << " stands there twice";
    const Judged found = judged(facts_of(each), each.expectations);
    EXPECT_EQ(verdict_name(found.verdict), verdict_name(each.verdict))
        << each.name << "\n"
        << report_text({found}, true);
    EXPECT_TRUE(has_finding(found, each.finding)) << each.name << "\n"
                                                  << report_text({found}, true);
  }
  EXPECT_GE(names.size(), 20U);
}

TEST(judge_matrix, a_record_gets_the_verdict_of_its_machine) {
  for (const MatrixCase& each : matrix()) {
    const Judged there = judged(facts_of(each), each.expectations);
    const auto record = parse_record(report_json({there}).dump());
    ASSERT_TRUE(record) << each.name << ": " << record.error().message;
    ASSERT_EQ(record->size(), 1U);
    EXPECT_EQ(record->front(), there.facts) << each.name;
    const Judged here = judged(record->front(), each.expectations);
    EXPECT_EQ(here.findings, there.findings) << each.name;
    EXPECT_EQ(here.verdict, there.verdict) << each.name;
  }
}

/// The reason must be the change, and nothing that the genuine driver has as well.
TEST(judge_matrix, what_is_genuine_has_none_of_the_other_findings) {
  const Judged file = judged(genuine_facts(), {});
  const Judged process = judged(genuine_process(), {});
  for (const MatrixCase& each : matrix()) {
    if (each.verdict == Verdict::genuine) continue;
    EXPECT_FALSE(has_finding(file, each.finding)) << each.finding;
    EXPECT_FALSE(has_finding(process, each.finding)) << each.finding;
  }
}

TEST(judge_matrix, everything_from_unknown_upwards_says_why_and_what_to_do) {
  for (const MatrixCase& each : matrix()) {
    for (const Finding& finding : judged(facts_of(each), each.expectations).findings) {
      EXPECT_FALSE(finding.what.empty()) << finding.id;
      EXPECT_EQ(finding.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos);
      if (finding.severity < Severity::unknown) continue;
      EXPECT_FALSE(finding.why.empty()) << finding.id;
      EXPECT_FALSE(finding.next_step.empty()) << finding.id;
    }
  }
}

}  // namespace
}  // namespace asiodrv::trust
