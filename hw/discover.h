// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the cameras that this machine can reach.

#pragma once

#include <gio/gio.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "hw/camera.h"

namespace sphere::hw {

struct FoundCamera {
  std::string location;  ///< its URI
  const CameraFamily* family = nullptr;
  bool in_use = false;  ///< another program or phone is connected to it: the state is not known
  CameraState state;
};

/// The URIs where a camera may be: the usual address of each family, and the gateways of this
/// machine's networks, because a camera makes its own network and is the gateway in it.
std::vector<std::string> usual_locations();

/// Whether an address of IPv4 is in a network of this machine. True for names.
bool is_nearby(const std::string& host);

/// Of these, those that are in a network of this machine. The others would be asked for outside of
/// it, at a machine that is not a camera.
std::vector<std::string> nearby_locations();

/// Tries these URIs, all at the same time, and returns those where a camera answers. Each camera is
/// connected to for a moment, unless this program has a connection already, which tells the state.
/// Blocks for `timeout` at most, and about a second more for orderly ends.
std::vector<FoundCamera> find_cameras(const std::vector<std::string>& locations,
                                      std::chrono::milliseconds timeout, GCancellable* cancellable);

/// Likewise, and where a camera is announced in the network (see ServiceBrowser), which takes about
/// a second more where nothing else takes time.
std::vector<FoundCamera> find_cameras_and_announced(const std::vector<std::string>& locations,
                                                    std::chrono::milliseconds timeout,
                                                    GCancellable* cancellable);

}  // namespace sphere::hw
