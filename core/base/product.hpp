// Whose driver this is. Every name by which two vendors' drivers must differ on one machine comes
// from here: registration, pipe, folders, service. The values are made from a profile in vendors/
// (cmake/product.cmake) and linked last, so that another vendor's build compiles one small file.
#pragma once

#include <cstdint>

namespace asiodrv {

/// A class identifier, laid out as COM does.
struct ClassId {
  std::uint32_t data1;
  std::uint16_t data2;
  std::uint16_t data3;
  std::uint8_t data4[8];
  bool operator==(const ClassId&) const = default;
};
static_assert(sizeof(ClassId) == 16);

/// All text is printable ASCII, never null.
struct Product {
  const char* name;           ///< for people: "asio-driver"
  const char* id;             ///< folders and the pipe; lower-case letters, digits and '-'
  const char* driver_name;    ///< what hosts list and the registry key; at most 31 characters
  const char* class_id_text;  ///< "{5E0C7B0A-...}", upper case
  ClassId class_id;           ///< the same; of the COM class and of its interface
  const char* company;
  const char* signers;          ///< who signs it, by name, '|' between; empty: nobody in particular
  const char* version;          ///< "0.1.0"
  std::int32_t version_number;  ///< major, two digits minor, two digits patch: 100 for 0.1.0
};

/// Constant-initialised: usable before main and without order among other objects.
extern const Product kProduct;

}  // namespace asiodrv
