// SPDX-License-Identifier: LGPL-2.1-or-later
// Structures that applications and elements define themselves.

#pragma once

#include <gst/gst.h>

namespace sphere::privacy {

/// Whether a structure may tell a place: by the names of its fields, by positions in its texts, and
/// by what can't be examined, such as a buffer.
bool may_tell_place(const GstStructure* structure);

}  // namespace sphere::privacy
