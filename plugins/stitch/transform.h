// SPDX-License-Identifier: LGPL-2.1-or-later
// What both stitchers are as transforms: negotiation, events and metas. How they draw is their own.

#pragma once

#include <gst/base/gstbasetransform.h>

#include "plugins/stitch/stitching.h"

namespace sphere {

/// Sets the class's functions for caps, events and metas. The type must have no subclasses.
void install_stitch_transform(GstBaseTransformClass* klass);

/// To be called in the instance's init; `stitching` must live as long as the element.
void init_stitch_transform(GstBaseTransform* transform, Stitching* stitching);

/// For a class that has more to do with queries than install_stitch_transform() sets.
gboolean stitch_transform_query(GstBaseTransform* transform, GstPadDirection direction,
                                GstQuery* query);

/// Whether a meta still says something true of the stitched picture: one that speaks of neither
/// size nor place in the picture does.
bool stitch_keeps_meta(const GstMeta* meta);

}  // namespace sphere
