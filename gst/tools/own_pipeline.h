// SPDX-License-Identifier: LGPL-2.1-or-later
// A pipeline that is made element by element, and ends with what it holds.

#pragma once

#include <gst/gst.h>

#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"

namespace sphere::tool {

class OwnPipeline {
 public:
  OwnPipeline() : pipeline_(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr)))) {}
  ~OwnPipeline() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  OwnPipeline(const OwnPipeline&) = delete;
  OwnPipeline& operator=(const OwnPipeline&) = delete;

  GstElement* get() const { return pipeline_.get(); }
  /// The pipeline owns the element; null if it is not installed, which missing() then tells.
  GstElement* add(const char* factory);
  const Status& missing() const { return missing_; }
  /// Decodes up to the first sample. "", or what is wrong.
  std::string prepare();
  /// The error that ended it, in words; "" if there is none.
  std::string problem() const;

 private:
  GstRef<GstElement> pipeline_;
  Status missing_ = ok();
};

}  // namespace sphere::tool
