// SPDX-License-Identifier: LGPL-2.1-or-later
// The code of GstBaseTransform that both elements share: negotiation, events and metas.

#pragma once

#include <gst/base/gstbasetransform.h>

#include "plugins/view/viewing.h"

namespace sphere {

/// Sets the class's functions for caps, events and metas. The type must have no subclasses.
void install_view_transform(GstBaseTransformClass* klass);

/// To be called in the instance's init; `viewing` must live as long as the element.
void init_view_transform(GstBaseTransform* transform, Viewing* viewing);

/// For a class that overrides the query function of install_view_transform().
gboolean view_transform_query(GstBaseTransform* transform, GstPadDirection direction,
                              GstQuery* query);

/// Whether a meta is passed on. Viewing::prepare() changes the one with the orientation to that of
/// the view.
bool view_keeps_meta(const GstMeta* meta);

}  // namespace sphere
