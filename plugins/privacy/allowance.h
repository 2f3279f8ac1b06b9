// SPDX-License-Identifier: LGPL-2.1-or-later
// What a gate may let pass at a moment.

#pragma once

#include "gst/sphere/consent/decision.h"
#include "gst/sphere/media/part.h"

namespace sphere::privacy {

struct Allowance {
  bool place = false;
  /// How exact a place may be.
  consent::Precision precision = consent::Precision::country;
  /// Devices, persons and the time of capture.
  bool identity = false;

  bool operator==(const Allowance&) const = default;

  bool exact_place() const { return place && precision == consent::Precision::exact; }
  /// What is not known may tell everything, therefore it passes only with this.
  bool everything() const { return exact_place() && identity; }
  /// For what can't be rounded.
  media::Policy policy() const {
    media::Policy policy;
    policy.place = exact_place();
    policy.identity = policy.time = identity;
    policy.sound = everything();
    return policy;
  }
};

}  // namespace sphere::privacy
