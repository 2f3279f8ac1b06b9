// SPDX-License-Identifier: LGPL-2.1-or-later
// Least squares for a few unknowns, and the parameters of lenses that are found with it.

#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/model.h"
#include "gst/sphere/lens/pair.h"

namespace sphere {

/// The x with the smallest squared error of a x = b; empty if the rows don't determine it.
std::optional<std::vector<double>> least_squares(const std::vector<std::vector<double>>& a,
                                                 const std::vector<double>& b);

/// The Kannala-Brandt model that is nearest to `distance`, a function from an angle to pixels, for
/// angles up to half of `fov` (radians). An error if the difference is more than `tolerance` pixels
/// anywhere.
Result<RadialModel> fit_kannala_brandt(const std::function<double(double)>& distance, double fov,
                                       double tolerance);

/// The fall-off that is nearest to `brightness`, which is 1 at 0, for r up to 1.
Vignette fit_vignette(const std::function<double(double)>& brightness);

}  // namespace sphere
