// SPDX-License-Identifier: LGPL-2.1-or-later
// Least squares over a handful of unknowns, and what of lenses is found with it.

#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/model.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// The x that makes the rows of `a` times x come nearest to b; nothing where the rows don't tell.
std::optional<std::vector<double>> least_squares(const std::vector<std::vector<double>>& a,
                                                 const std::vector<double>& b);

/// The Kannala-Brandt model nearest to `distance`, which gives pixels for an angle off the axis,
/// over half of `fov` (radians). Refused where it stays more than `tolerance` pixels away.
Result<RadialModel> fit_kannala_brandt(const std::function<double(double)>& distance, double fov,
                                       double tolerance);

/// The fall-off nearest to `brightness`, which gives 1 at 0, for r up to 1.
Vignette fit_vignette(const std::function<double(double)>& brightness);

}  // namespace sphere
