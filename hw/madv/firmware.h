// SPDX-License-Identifier: LGPL-2.1-or-later
// Which files are not sent to a camera as its firmware.

#pragma once

#include "gst/sphere/base/result.h"
#include "hw/camera_upkeep.h"

namespace sphere::madv {

/// The vendor's name of the file, for the camera or for its remote control.
const char* firmware_name(bool remote_control);

/// Refuses what is plainly no firmware of this family, by name, size and first bytes. The format of
/// the vendor's files is not known, so a file that passes may still be a wrong one.
Status check_firmware(const hw::FirmwareFile& file);

}  // namespace sphere::madv
