// SPDX-License-Identifier: LGPL-2.1-or-later
// A file on a camera's card for ReadAhead.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "hw/camera_client.h"
#include "hw/read_ahead.h"

namespace sphere::hw {

/// `path` is relative to the card. If the file can't be opened, this is a failure at once; later, a
/// part that is cut is continued as long as `idle_timeout` has not passed without a new byte.
std::unique_ptr<PartReader> make_card_reader(std::shared_ptr<CameraClient> client, std::string path,
                                             std::chrono::milliseconds idle_timeout);

}  // namespace sphere::hw
