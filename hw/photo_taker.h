// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes a photo and waits for its file.

#pragma once

#include <gio/gio.h>

#include <functional>
#include <optional>
#include <string>

#include "hw/camera_client.h"

namespace sphere::hw {

/// Takes one photo, and blocks until the camera has saved it. `path` is its path relative to the
/// card. `saved` is called in the camera's thread when the camera tells that it is saved. Not from
/// the camera's thread.
std::optional<Failure> take_photo_and_wait(CameraClient& client, const PhotoRequest& request,
                                           GCancellable* cancellable, std::string& path,
                                           std::function<void()> saved = {});

}  // namespace sphere::hw
