// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/elementproperties.h"

#include "gst/sphere/geometry/projection.h"

namespace sphere {

GType projection_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Projection::equirect), "The whole sphere, 2:1", "equirect"},
      {static_cast<int>(Projection::cubemap),
       "Six faces in 3x2: right, left, up, then down, front, back", "cubemap"},
      {static_cast<int>(Projection::eac),
       "Equi-angular cubemap in 3x2: left, front, right, then down, back, up, turned", "eac"},
      {static_cast<int>(Projection::perspective),
       "What an ordinary camera without distortion would show", "perspective"},
      {static_cast<int>(Projection::little_planet), "Stereographic, with the ground in the middle",
       "little-planet"},
      {static_cast<int>(Projection::stereographic), "Stereographic, with the front in the middle",
       "stereographic"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_plugin_enum("GstSphereProjection", values);
  return type;
}

GType interpolation_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Interpolation::linear), "Calculated from two by two samples", "linear"},
      {static_cast<int>(Interpolation::cubic),
       "Calculated from four by four samples: sharper, slower", "cubic"},
      {0, nullptr, nullptr},
  };
  static const GType type = register_plugin_enum("GstSphereInterpolation", values);
  return type;
}

void install_interpolation_property(GObjectClass* klass, guint id, const char* blurb) {
  g_object_class_install_property(
      klass, id,
      g_param_spec_enum("interpolation", "Interpolation", blurb, interpolation_type(),
                        static_cast<int>(Interpolation::linear), live_property));
}

void install_threads_property(GObjectClass* klass, guint id) {
  g_object_class_install_property(
      klass, id,
      g_param_spec_int(
          "threads", "Threads",
          "Number of threads that draw; 0 means one for each core. Ignored when a GPU draws", 0,
          Workers::most_threads, Workers::default_threads, live_property));
}

}  // namespace sphere
