// SPDX-License-Identifier: LGPL-2.1-or-later
// What Photoshop's resources in a picture tell: descriptions in the form of the IPTC, and copies of
// Exif and XMP.

#pragma once

#include <cstdint>
#include <span>

#include "gst/sphere/media/findings.h"

namespace sphere::media {

/// Lists resources ("8BIM"). They stay or go whole.
void list_photoshop(std::span<const uint8_t> resources, const Where& where, Findings* findings);

/// Lists the values of an IPTC description.
void list_iptc(std::span<const uint8_t> bytes, const Where& where, Findings* findings);

}  // namespace sphere::media
