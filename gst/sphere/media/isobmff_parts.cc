// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/part.h"

namespace sphere::media {

Result<Examination> examine_isobmff(const Source&, const Request&) {
  return unsupported("this format can't be examined yet");
}

}  // namespace sphere::media
