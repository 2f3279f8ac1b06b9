// SPDX-License-Identifier: LGPL-2.1-or-later
// The objects that a GstIterator goes over.

#pragma once

#include <gst/gst.h>

#include <vector>

#include "gst/sphere/base/gobject.h"

namespace sphere {

/// All of them, each once, although others may change the list meanwhile; none for null. Takes
/// ownership of the iterator.
template <typename T>
std::vector<GstRef<T>> objects_of(GstIterator* iterator) {
  std::vector<GstRef<T>> objects;
  if (!iterator) return objects;
  GValue value = G_VALUE_INIT;
  for (bool more = true; more;) {
    switch (gst_iterator_next(iterator, &value)) {
      case GST_ITERATOR_OK:
        objects.emplace_back(static_cast<T*>(g_value_dup_object(&value)));
        g_value_reset(&value);
        break;
      case GST_ITERATOR_RESYNC:
        objects.clear();
        gst_iterator_resync(iterator);
        break;
      default:
        more = false;
    }
  }
  g_value_unset(&value);
  gst_iterator_free(iterator);
  return objects;
}

}  // namespace sphere
