// SPDX-License-Identifier: LGPL-2.1-or-later
// The tags that encoders and muxers behind a gate have collected (GstTagSetter). They keep a tag
// when a later event no longer has it, and write what an application set by hand.

#pragma once

#include <gst/gst.h>

#include <memory>
#include <vector>

#include "plugins/privacy/allowance.h"

namespace sphere::privacy {

/// Of one gate. All functions are for its streaming thread. What is not allowed is taken from an
/// element's tags in the thread in which the element reads them, before it reads them.
class TagSetters {
 public:
  explicit TagSetters(GstPad* src);
  ~TagSetters();
  TagSetters(const TagSetters&) = delete;
  TagSetters& operator=(const TagSetters&) = delete;

  /// Looks for the elements that are behind the gate now.
  void find();
  void stop();
  void set_allowance(const Allowance& allowance);

 private:
  struct Shared;
  struct Probe;

  GstPad* const src_;
  const std::shared_ptr<Shared> shared_;
  std::vector<Probe> probes_;
};

}  // namespace sphere::privacy
