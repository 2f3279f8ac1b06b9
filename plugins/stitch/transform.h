// SPDX-License-Identifier: LGPL-2.1-or-later
// The code of GstBaseTransform that both stitchers share: negotiation, events and metas.

#pragma once

#include <gst/base/gstbasetransform.h>

#include "plugins/stitch/stitching.h"

namespace sphere {

/// Sets the class's functions for caps, events and metas. The type must have no subclasses.
void install_stitch_transform(GstBaseTransformClass* klass);

/// To be called in the instance's init; `stitching` must live as long as the element.
void init_stitch_transform(GstBaseTransform* transform, Stitching* stitching);

/// For a class that overrides the query function of install_stitch_transform().
gboolean stitch_transform_query(GstBaseTransform* transform, GstPadDirection direction,
                                GstQuery* query);

/// Whether a meta is passed on. Stitching::prepare() changes the one with the orientation to that
/// of the stitched picture.
bool stitch_keeps_meta(const GstMeta* meta);

}  // namespace sphere
