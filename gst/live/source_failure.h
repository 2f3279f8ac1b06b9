// SPDX-License-Identifier: LGPL-2.1-or-later
// Why a live stream's source can't be read, in a sentence that says what to do.

#pragma once

#include <glib.h>

#include <string>

namespace sphere::live {

/// `uri`: of a file or of another stream, of which nothing but scheme, host and port is told: the
/// rest may contain a password. `began`: whether pictures have come from it. "" if the error's own
/// sentence has to do.
std::string explain_source_failure(const std::string& uri, const GError& error, bool began);

}  // namespace sphere::live
