// SPDX-License-Identifier: LGPL-2.1-or-later
// The certificates of the cameras' web servers. The first one of a camera is trusted; later it must
// show the same one. They are kept on the disk while the user's own ledger gives `device` for
// `bind`; otherwise only in this process.

#pragma once

#include <string>

namespace sphere::storage {

/// Whether a certificate may be trusted; the first one of a camera is stored. `camera` is its
/// serial number, or the address of its server where that is not known; only a hash of it is
/// stored. `fingerprint` is the SHA-256 of the certificate, 64 hexadecimal digits. Any thread may
/// call.
bool accept_certificate(const std::string& camera, const std::string& fingerprint);

}  // namespace sphere::storage
