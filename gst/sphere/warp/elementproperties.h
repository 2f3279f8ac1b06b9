// SPDX-License-Identifier: LGPL-2.1-or-later
// Properties that all elements which draw pictures have, and their types.

#pragma once

#include <gst/gst.h>

#include <atomic>

#include "gst/sphere/base/element.h"
#include "gst/sphere/warp/workers.h"

namespace sphere {

enum class Interpolation { linear, cubic };

/// Of properties that may be set while the pipeline plays; and also by a GstController.
inline constexpr auto live_property = static_cast<GParamFlags>(
    G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
inline constexpr auto controllable_property = static_cast<GParamFlags>(
    static_cast<int>(live_property) | static_cast<int>(GST_PARAM_CONTROLLABLE));

/// GstSphereProjection, the enumeration of the property `projection`.
GType projection_type();
/// GstSphereInterpolation, that of `interpolation`.
GType interpolation_type();
void install_interpolation_property(GObjectClass* klass, guint id, const char* blurb);

/// The property `threads` of elements that draw on the CPU. 0: as many as cores.
void install_threads_property(GObjectClass* klass, guint id);
class ThreadsProperty {
 public:
  explicit ThreadsProperty(guint id) : id_(id) {}
  int threads() const { return threads_; }

  /// Returns false if the id belongs to another property.
  bool set(guint id, const GValue* value) {
    if (id == id_) threads_ = g_value_get_int(value);
    return id == id_;
  }
  bool get(guint id, GValue* value) const {
    if (id == id_) g_value_set_int(value, threads_);
    return id == id_;
  }

 private:
  const guint id_;
  std::atomic<int> threads_ = Workers::default_threads;
};

/// The C++ object of an element with the property `threads`. `Common` is what such elements for the
/// CPU and for the GPU share: everything except the drawing, with all other properties.
template <typename Common, guint threads_id>
class WithThreads {
 public:
  explicit WithThreads(GstElement* owner) : common(owner) {}

  bool set_property(guint id, const GValue* value) {
    return common.set_property(id, value) || threads.set(id, value);
  }
  bool get_property(guint id, GValue* value) {
    return common.get_property(id, value) || threads.get(id, value);
  }

  Common common;
  ThreadsProperty threads{threads_id};
};

}  // namespace sphere
