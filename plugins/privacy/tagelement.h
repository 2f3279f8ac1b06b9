// SPDX-License-Identifier: LGPL-2.1-or-later
// What the elements that edit the metadata of a file behind a muxer have in common: properties,
// consent, and how writes of the edited file become buffers.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/element.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/stream_editor.h"
#include "plugins/privacy/allowance.h"
#include "plugins/privacy/position_source.h"
#include "plugins/privacy/stream_events.h"

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_TAG (gst_sphere_tag_get_type())
G_DECLARE_DERIVABLE_TYPE(GstSphereTag, gst_sphere_tag, GST, SPHERE_TAG, GstElement)

/// The parent of the elements.
struct _GstSphereTagClass {
  GstElementClass parent_class;

  std::unique_ptr<sphere::media::StreamEditor> (*make_editor)(bool can_go_back);
  /// Each buffer of a stream in time is a whole picture.
  bool pictures;
};

G_END_DECLS

namespace sphere::privacy {

/// For the class_init of an element: its templates, its editor, and whether it has `stereo-mode`.
void install_tag_element(GstSphereTagClass* klass, GstStaticPadTemplate* sink,
                         GstStaticPadTemplate* src,
                         std::unique_ptr<media::StreamEditor> (*make_editor)(bool can_go_back),
                         bool pictures);

}  // namespace sphere::privacy
