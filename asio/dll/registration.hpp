// The driver's own keys in the registry, in the view of this module's bitness. Both need elevation.
#pragma once

#include <windows.h>

namespace asiodrv::asio {

/// Writes, for the file of this module as it lies now:
///   HKLM\SOFTWARE\ASIO\<the driver's name>         CLSID, Description
///   HKLM\SOFTWARE\Classes\CLSID\{..}                default = name
///   HKLM\SOFTWARE\Classes\CLSID\{..}\InprocServer32 default = path, ThreadingModel = Both
/// After a failure none of them is left. Throws std::bad_alloc.
HRESULT register_driver();

/// Removes these keys and nothing else. That they are not there is no failure.
HRESULT unregister_driver();

}  // namespace asiodrv::asio
