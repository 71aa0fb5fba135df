// The words that stand for enumerators in records, in the enumerators' order.
#pragma once

namespace asiodrv::trust {

inline constexpr const char* kPlaceNames[] = {
    "program_files", "system",  "program_data", "temporary", "public",
    "downloads",     "profile", "removable",    "network",   "other"};
inline constexpr const char* kWritabilityNames[] = {"no", "yes", "cannot_rule_out"};
inline constexpr const char* kDuplicateNames[] = {"same_file_name", "similar_name",
                                                  "same_class_other_file"};
inline constexpr const char* kPersistenceNames[] = {"run_key",        "startup_folder", "service",
                                                    "scheduled_task", "image_hijack",   "injected"};

}  // namespace asiodrv::trust
