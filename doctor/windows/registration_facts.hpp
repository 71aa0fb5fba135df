#pragma once

#include "doctor/facts.hpp"
#include "doctor/gather.hpp"

namespace asiodrv::doctor {

/// Fills facts.registration and facts.others; facts.program_path must be known.
void gather_registration(Facts& facts, const GatherOptions& options);

}  // namespace asiodrv::doctor
