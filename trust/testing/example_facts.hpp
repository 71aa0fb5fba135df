// The facts of a driver with which nothing is wrong, for tests that change one of them.
#pragma once

#include "trust/facts.hpp"

namespace asiodrv::trust::testing {

inline constexpr std::int64_t kNow = 1'800'000'000;

inline Facts genuine_facts() {
  Facts facts;
  facts.subject = "Example ASIO";
  facts.recorded_on = "Windows 10.0.19045";
  facts.recorded_at_s = kNow;
  FileFacts& file = facts.file;
  file.path = "C:\\Program Files\\Example\\example.dll";
  file.size_bytes = std::uint64_t{100'000};
  file.sha256 = std::string(64, 'a');
  PeFile pe;
  pe.machine = 0x8664;
  pe.is_64 = pe.is_library = pe.exports_com_server = true;
  pe.imports = {"kernel32.dll"};
  pe.version = {"Example Audio GmbH", "Example ASIO", "Example driver", "1.2.3", "example.dll"};
  pe.certificates.entries = 1;
  pe.certificates.timestamped = true;
  file.structure = pe;
  Signature signature;
  signature.timestamped = true;
  signature.root = "Trusted Root";
  signature.signer = {"Example Audio GmbH", "Example Audio GmbH", "DE", "Trusted Issuer", "01",
                      std::string(64, 'c'), std::string(64, 'd')};
  file.signature = signature;
  Place place;
  place.kind = PlaceKind::program_files;
  place.writable = Writable{Writability::no, {}, {}, {}};
  file.place = place;
  file.modified_s = kNow - 400 * 86'400;
  file.internet_zone = std::uint32_t{0};
  facts.registrations =
      std::vector<Registration>{{"Example ASIO", "{11111111-2222-3333-4444-555555555555}",
                                 "Example ASIO", file.path, false, false}};
  facts.duplicates = std::vector<Duplicate>{};
  facts.persistence = PersistenceScan{};
  return facts;
}

/// Our own service, idle and well behaved.
inline Facts genuine_process() {
  Facts facts = genuine_facts();
  facts.subject = "process 42";
  facts.file.path = "C:\\Program Files\\asio-driver\\asio-driver.exe";
  facts.file.structure->is_library = false;
  facts.file.structure->exports_com_server = false;
  facts.file.structure->version = {"Example Audio GmbH", "asio-driver", "asio-driver", "1.0.0",
                                   "asio-driver.exe"};
  facts.registrations = std::vector<Registration>{};
  ProcessFacts process;
  process.id = 42;
  process.modules = std::vector<Module>{
      {facts.file.path, std::uint32_t{0}, PlaceKind::program_files},
      {"C:\\Windows\\System32\\kernel32.dll", std::uint32_t{0}, PlaceKind::system}};
  process.connections = std::vector<Connection>{};
  process.processor = Processor{0.0, 1000};
  process.clients = std::uint32_t{0};
  facts.process = {process};
  return facts;
}

}  // namespace asiodrv::trust::testing
