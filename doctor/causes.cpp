#include "doctor/causes.hpp"

#include <algorithm>
#include <array>

namespace asiodrv::doctor {
namespace {

constexpr std::string_view kRegisterFix =
    "Run \"asio-driver doctor --fix\" as administrator: it registers the driver anew.";

constexpr std::array kCauses{
    Cause{"service_off", "The service is switched off.",
          "Switch it on as administrator: asio-driver service set-start demand"},
    Cause{"audio_service_stopped", "The Windows Audio service does not run: no program has sound.",
          "Start \"Windows Audio\" in Windows' list of services, or restart Windows."},
    Cause{"remote_session",
          "This is a remote desktop session: sound goes to the computer that you sit at.",
          "Sign in at the computer itself, or allow sound in the remote desktop's settings."},
    Cause{"not_registered", "The driver is not registered: programs do not list it.", kRegisterFix,
          true},
    Cause{"name_taken", "The driver's name belongs to another driver.", kRegisterFix, true},
    Cause{"class_missing", "The driver is listed, but its class is not registered.", kRegisterFix,
          true},
    Cause{"file_missing", "The registered driver file does not exist.", kRegisterFix, true},
    Cause{"path_not_absolute", "The driver is registered without its folder.", kRegisterFix, true},
    Cause{"wrong_bitness", "The registered driver file is for programs of another kind.",
          kRegisterFix, true},
    Cause{"user_override", "This user's own settings put another file in the driver's place.",
          "Remove the driver's class below HKEY_CURRENT_USER\\Software\\Classes\\CLSID with the "
          "registry editor."},
    Cause{"conflicting_copy", "Programs load another copy of the driver than this one.",
          kRegisterFix, true},
    Cause{"driver_hangs", "The driver does not load: it hangs.",
          "Restart Windows. If it stays, install asio-driver again."},
    Cause{"driver_crashes", "The driver does not load: it crashes.", "Install asio-driver again."},
    Cause{"driver_refused", "Windows refuses to load the driver.",
          "Install asio-driver again, and let the virus scanner leave its folder alone."},
    Cause{"wrong_name", "The driver is listed under another name.", kRegisterFix, true},
    Cause{"driver_version",
          "The driver that programs load is of another version than this program.", kRegisterFix,
          true},
    Cause{"service_refused", "A service answers that is not this user's own.",
          "End the asio-driver that was started as administrator or by another user, or restart "
          "Windows."},
    Cause{"service_silent", "The service runs and does not answer.",
          "End asio-driver.exe in the task manager; programs start it anew."},
    Cause{"service_version", "The running service is of another version than this program.",
          "Run \"asio-driver doctor --fix\": it stops the old one; programs start the new one.",
          true},
    Cause{"configuration_broken", "The configuration cannot be used; defaults are in force.",
          "Mend the line that is named, or run \"asio-driver doctor --fix\": it keeps what is "
          "right.",
          true},
    Cause{"elevated", "Programs that run as administrator cannot start the service.",
          "Start the music program without administrator rights."},
    Cause{"default_disabled", "Windows' output is switched off.",
          "Enable it in Windows' sound settings, under all sound devices."},
    Cause{"default_unplugged", "Nothing is plugged into Windows' output.",
          "Plug the headphones, the loudspeakers or the interface in."},
    Cause{"no_output", "Windows has no sound output; a simulated one plays, and nobody hears it.",
          "Plug the interface in and install its driver."},
    Cause{"device_missing", "The configured device is not there.",
          "Plug it in, or choose one that \"asio-driver devices\" lists."},
    Cause{"device_silent", "The configuration chooses the simulated device, which nobody hears.",
          "Set backend = \"automatic\" under [device] in the configuration."},
    Cause{"microphone_denied", "Windows does not let desktop programs use the microphone.",
          "Allow it under Settings, Privacy, Microphone, for desktop apps."},
    Cause{"exclusive_disallowed", "Exclusive use is wanted, and is switched off for the device.",
          "Allow it under the device's properties, Advanced, in Windows' sound settings."},
    Cause{"device_busy", "Another program holds the device for itself.",
          "Close that program, or switch exclusive use off in it."},
    Cause{"device_lost", "The device has left while it played.",
          "Plug it in again; sound returns by itself."},
    Cause{"device_failed", "The device's own driver fails.",
          "Unplug the device and plug it in again; if it stays, install its driver again."},
    Cause{"clock_lost", "Nothing arrives at the external clock that the device follows.",
          "Connect the clock, or choose the device's own by its name in \"asio-driver devices\": "
          "asio-driver devices --clock NAME"},
    Cause{"rate_mismatch", "The sample rates do not fit.",
          "Choose the same rate in the program, in the configuration and in Windows' sound "
          "settings."},
    Cause{"buffer_below_minimum", "The buffer is smaller than the device can have.",
          "Choose a larger buffer in the program, or a larger max_frames under [driver]."},
    Cause{"device_refused", "The device cannot be opened.",
          "Choose mode = \"shared\" under [wasapi] in the configuration."},
    Cause{"configuration_old", "The service runs with an older configuration than the file's.",
          "Run \"asio-driver config --reload\".", true},
    Cause{"other_driver_crashes", "Another ASIO driver crashes programs that look for drivers.",
          "Update or uninstall that driver."},
    Cause{"other_driver_hangs", "Another ASIO driver hangs programs that look for drivers.",
          "Update or uninstall that driver."},
    Cause{"other_driver_broken", "Another ASIO driver is registered and its file does not fit.",
          "Install that driver again, or uninstall it."},
    Cause{"not_registered_32", "The driver is not registered for 32-bit programs.", kRegisterFix,
          true, true},
    Cause{"input_rate", "Input and output of Windows run at different rates.",
          "Choose the same rate for both in Windows' sound settings.", false, true},
    Cause{"power_saver", "Windows saves power, and sound with small buffers suffers.",
          "Choose the power plan \"Balanced\" or \"High performance\".", false, true},
    Cause{"processor_slowed", "The power plan holds the processor below its full speed.",
          "Set the maximum processor state to 100 % in the advanced power settings.", false, true},
    Cause{"precedence_off", "Windows gives sound no precedence over other programs.",
          "Set SystemResponsiveness to 20 with the registry editor, as administrator, and restart "
          "Windows.",
          false, true},
};

}  // namespace

std::span<const Cause> all_causes() noexcept { return kCauses; }

const Cause* find_cause(std::string_view id) noexcept {
  const auto found = std::find_if(kCauses.begin(), kCauses.end(),
                                  [&](const Cause& each) { return each.id == id; });
  return found == kCauses.end() ? nullptr : &*found;
}

}  // namespace asiodrv::doctor
