// SPDX-License-Identifier: LGPL-2.1-or-later
// The target web:PORT as an output of the session: the page that looks around in the stream.

#pragma once

#include <memory>

#include "gst/live/output.h"
#include "gst/live/target.h"
#include "gst/sphere/base/result.h"

namespace sphere::live {

/// Settings of the target, beside its address and port:
///   token     the secret in the link; made if it is absent and others can reach the address
///   cert      a file with certificate and key in PEM; made if it is absent, likewise
///   key       a file with the key, if it is not in the file of the certificate
///   viewers   how many may watch at a time
///   udp-port  the port for pictures and sound; any if it is absent
///   width     the widest picture, in pixels
Result<std::unique_ptr<Output>> make_web_output(const Target& target);

}  // namespace sphere::live
