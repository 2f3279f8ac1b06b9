// SPDX-License-Identifier: LGPL-2.1-or-later
// The certificates of cameras' web servers that this machine remembers.

#pragma once

#include <string>

#include "gst/sphere/storage/pins.h"
#include "hw/web_file.h"

namespace sphere::hw {

class StoredPins : public CertificatePins {
 public:
  bool accept(const std::string& server, const std::string& fingerprint) override {
    return storage::accept_certificate(server, fingerprint);
  }
};

}  // namespace sphere::hw
