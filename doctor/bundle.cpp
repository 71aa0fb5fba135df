#include "doctor/bundle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "doctor/report.hpp"
#include "doctor/zip_writer.hpp"
#include "service/paths.hpp"

namespace asiodrv::doctor {
namespace {

constexpr const char* kReadme =
    "Written by \"asio-driver doctor --bundle\".\n"
    "\n"
    "report.txt     what was found, for people\n"
    "findings.json  the same for programs, with all facts (\"asio-driver doctor --facts\" reads "
    "it)\n"
    "config.toml    the configuration, if there is a file\n"
    "flight.json    the flight record: which sound was damaged, when and why\n"
    "versions.txt   versions of all parts\n"
    "log.txt        the ends of the service's logs\n"
    "\n"
    "Names of users, home folders and computers were replaced: <user>, <home>, <computer>,\n"
    "<user-id>; addresses of mail and serial numbers of USB devices, too: <address>, <serial>.\n"
    "Names of audio devices and of music programs are in it. Look through the files before you\n"
    "give them away; they are plain text.\n";

std::string driver_line(const char* what, const Registration& view) {
  const std::string version = view.version.known() ? *view.version : std::string();
  return fmt::format("{}: {} ({})\n", what, version.empty() ? "unknown" : version,
                     view.path.value_or("not known"));
}

}  // namespace

std::string report_for_others(Facts facts, Diagnosis diagnosis, std::vector<Repair> repairs,
                              const Scrubber& scrubber) {
  const auto scrub = [&](std::string& text) { text = scrubber.scrub(text); };
  scrub(facts.device.name);
  for (Finding& each : diagnosis.findings) {
    scrub(each.detail);
    scrub(each.fix);
  }
  for (std::string& each : diagnosis.undecided) scrub(each);
  for (Repair& each : repairs) scrub(each.said);
  return report_text(facts, diagnosis, repairs);
}

Result<std::string> make_bundle(const BundleContents& contents, const Scrubber& scrubber) {
  const struct {
    const char* name;
    std::string_view text;
  } files[] = {{"README.txt", kReadme},
               {"report.txt", contents.report},
               {"findings.json", contents.findings},
               {"config.toml", contents.configuration},
               {"flight.json", contents.flight},
               {"versions.txt", contents.versions},
               {"log.txt", contents.log}};
  ZipWriter zip;
  for (const auto& file : files) {
    const bool is_json = std::string_view(file.name).ends_with(".json");
    const std::string text = is_json ? scrubber.scrub_json(file.text) : scrubber.scrub(file.text);
    if (auto added = zip.add(file.name, text); !added) {
      return tl::unexpected<Error>(std::move(added.error()));
    }
  }
  return zip.finish();
}

std::string end_of_file(const std::string& path, std::size_t bytes) {
  // Opening a pipe would wait for somebody to write.
  std::error_code problem;
  if (!std::filesystem::is_regular_file(service::path_of(path), problem)) return {};
  std::ifstream stream(service::path_of(path), std::ios::binary | std::ios::ate);
  if (!stream) return {};
  const std::streamoff size = stream.tellg();
  if (size < 0) return {};
  const std::streamoff from =
      std::max<std::streamoff>(size - static_cast<std::streamoff>(bytes), 0);
  stream.seekg(from);
  std::string text(static_cast<std::size_t>(size - from), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (from > 0) text.erase(0, text.find('\n') == std::string::npos ? 0 : text.find('\n') + 1);
  return text;
}

std::string versions_text(const Facts& facts) {
  std::string text =
      fmt::format("asio-driver: {} ({})\n", facts.program_version, facts.program_path);
  text += fmt::format("service: {}\n", facts.service.version.value_or("does not answer"));
  text += driver_line("driver for 64-bit programs", facts.registration[0]);
  text += driver_line("driver for 32-bit programs", facts.registration[1]);
  text += fmt::format("system: {}\n", facts.system.name);
  return text;
}

}  // namespace asiodrv::doctor
