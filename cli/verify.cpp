#include "cli/verify.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/client_command.hpp"
#include "cli/console.hpp"
#include "cli/conversation.hpp"
#include "cli/json_text.hpp"
#include "trust/collect.hpp"
#include "trust/facts_json.hpp"
#include "trust/hash_list.hpp"
#include "trust/report.hpp"

namespace asiodrv::cli {
namespace {

constexpr std::size_t kMaxHashListBytes = std::size_t{8} << 20;

constexpr const char* kVerifyHelp =
    "Tells a genuine ASIO driver from something that pretends to be one. Looks at who signed the "
    "file and whether it was changed since, where it lies and who could change it, which other "
    "drivers look like it, what else starts it and, for a process, what it does. Changes nothing, "
    "loads nothing of what it looks at, and asks no network.";

constexpr const char* kVerifyFooter =
    "Examples:\n"
    "  asio-driver verify --all                every driver that music programs are offered\n"
    "  asio-driver verify \"C:\\Program Files\\Vendor\\driver.dll\"\n"
    "  asio-driver verify 4242                 a running program, and what is loaded into it\n"
    "  asio-driver verify --all --json > drivers.json\n"
    "  asio-driver verify --facts drivers.json    judges that again, on any machine\n"
    "\n"
    "Exit codes:\n"
    "   0  genuine      10  suspicious      11  dangerous\n"
    "  12  could not decide, or there was nothing to look at\n"
    "   1  could not look; the reason is on the error stream      2  wrong usage";

std::optional<std::uint32_t> process_id_of(const std::string& subject) {
  std::uint32_t id = 0;
  const char* const end = subject.data() + subject.size();
  const auto [stop, problem] = std::from_chars(subject.data(), end, id);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return id;
}

struct ServiceLoad {
  std::uint32_t process = 0;
  std::uint32_t clients = 0;
};

/// Whom our own service serves; nothing when none answers.
std::optional<ServiceLoad> ask_service(const ClientOptions& options) {
  Conversation session(options);
  if (!session.connect()) return std::nullopt;
  const auto status = session.call("status");
  if (!status) return std::nullopt;
  const nlohmann::json& id = at(at(*status, "service"), "process_id");
  if (!id.is_number_unsigned()) return std::nullopt;
  return ServiceLoad{id.get<std::uint32_t>(),
                     static_cast<std::uint32_t>(items(at(*status, "clients")).size())};
}

Result<std::vector<trust::Facts>> look(const ClientOptions& options, const VerifyOptions& verify) {
  if (!verify.facts_path.empty()) {
    const auto text = trust::read_small_file(verify.facts_path, trust::kMaxRecordBytes);
    if (!text) return refusal(text);
    return trust::parse_record(*text);
  }
  trust::Question question;
  question.all = verify.all;
  question.sample_ms = static_cast<std::uint32_t>(verify.seconds * 1000.0);
  for (const std::string& subject : verify.subjects) {
    if (const auto id = process_id_of(subject)) {
      question.processes.push_back(*id);
    } else {
      question.files.push_back(subject);
    }
  }
  const bool watched = !question.processes.empty();
  const auto before = watched ? ask_service(options) : std::nullopt;
  auto all = trust::collect(question);
  const auto after = watched && all ? ask_service(options) : std::nullopt;
  // Whoever came or left meanwhile was work to do: the larger number says how idle it was.
  if (!before || !after || before->process != after->process) return all;
  for (trust::Facts& facts : *all) {
    for (trust::ProcessFacts& process : facts.process) {
      if (process.id != after->process) continue;
      process.clients = std::max(before->clients, after->clients);
    }
  }
  return all;
}

Result<trust::Expectations> expectations_of(const VerifyOptions& verify) {
  trust::Expectations expectations;
  expectations.signers = trust::built_in_signers();
  expectations.signers.insert(expectations.signers.end(), verify.signers.begin(),
                              verify.signers.end());
  if (verify.release_hashes_path.empty()) return expectations;
  const auto text = trust::read_small_file(verify.release_hashes_path, kMaxHashListBytes);
  if (!text) return refusal(text);
  auto list = trust::parse_hash_list(*text);
  if (!list) return refusal(list);
  expectations.release = std::move(*list);
  return expectations;
}

int exit_code(trust::Verdict verdict) {
  switch (verdict) {
    case trust::Verdict::genuine: return kDone;
    case trust::Verdict::undecided: return kUndecided;
    case trust::Verdict::suspicious: return kSuspicious;
    case trust::Verdict::dangerous: return kDangerous;
  }
  return kUndecided;
}

int could_not_look(const Error& error) {
  print_error(error.message + "\n");
  return kFailed;
}

}  // namespace

CLI::App* add_verify_command(CLI::App& app, VerifyOptions& verify, ClientOptions& client) {
  CLI::App* const command = app.add_subcommand("verify", "Is a driver genuine? Changes nothing");
  command->description(kVerifyHelp);
  command->footer(kVerifyFooter);
  command
      ->add_option("subject", verify.subjects,
                   "A driver's file, or the number of a running process")
      ->type_name("FILE|PID");
  command->add_flag("--all", verify.all,
                    "Every ASIO driver that is registered on this machine, for 64 and 32-bit "
                    "programs");
  command
      ->add_option(
          "--facts", verify.facts_path,
          "For support: judges what \"verify --json\" recorded, here or on another machine")
      ->type_name("FILE");
  command
      ->add_option(
          "--release-hashes", verify.release_hashes_path,
          "A list of SHA-256 hashes as sha256sum writes it; this product's files, and those "
          "of a name in it, must be among them. Get it by another way than the files")
      ->type_name("FILE");
  command
      ->add_option(
          "--signer", verify.signers,
          "Who may sign this product's own files: a certificate's common name or "
          "organization, or the SHA-256 of the certificate or its public key. May be given "
          "several times")
      ->type_name("NAME|SHA256")
      ->allow_extra_args(false);
  command->add_option("--seconds", verify.seconds, "How long a process is watched. Default: 1")
      ->check(CLI::Range(0.1, 60.0))
      ->type_name("N");
  command->add_flag("--details", verify.details, "Also what was looked at and is as it should be");
  add_client_options(command, client);
  return command;
}

std::string wrong_usage(const VerifyOptions& verify) {
  const int kinds = (verify.subjects.empty() ? 0 : 1) + (verify.all ? 1 : 0) +
                    (verify.facts_path.empty() ? 0 : 1);
  if (kinds == 0) return "verify needs a file, the number of a process, --all, or --facts.";
  if (kinds > 1) return "verify takes files and processes, or --all, or --facts; not two of them.";
  if (!std::isfinite(verify.seconds)) return "--seconds must be a number from 0.1 to 60.";
  for (const std::string& subject : verify.subjects) {
    if (subject.empty()) return "The name of a file is empty.";
    if (is_process_id(subject) && !process_id_of(subject)) {
      return fmt::format("{} is no number of a process. A file of that name is .\\{}", subject,
                         subject);
    }
  }
  return {};
}

bool is_process_id(const std::string& subject) {
  return !subject.empty() &&
         std::all_of(subject.begin(), subject.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int run_verify(const ClientOptions& options, const VerifyOptions& verify) {
  const auto expectations = expectations_of(verify);
  if (!expectations) return could_not_look(expectations.error());
  auto all = look(options, verify);
  if (!all) return could_not_look(all.error());
  std::vector<trust::Judged> subjects;
  for (trust::Facts& facts : *all) {
    subjects.push_back(trust::judged(std::move(facts), *expectations));
  }
  if (options.json) {
    print_json(trust::report_json(subjects));
  } else if (subjects.empty()) {
    print("No ASIO driver is registered on this machine, so there is nothing to judge.\n");
  } else {
    print(trust::report_text(subjects, verify.details));
  }
  return exit_code(trust::worst_of(subjects));
}

}  // namespace asiodrv::cli
