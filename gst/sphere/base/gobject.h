// SPDX-License-Identifier: LGPL-2.1-or-later
// RAII for GLib and GStreamer references kept as members; locals use g_autoptr.

#pragma once

#include <glib-object.h>
#include <gst/gst.h>

#include <memory>
#include <string>

namespace sphere {

/// A stateless deleter that calls a C function.
template <auto Function>
struct Call {
  template <typename T>
  void operator()(T* pointer) const {
    Function(pointer);
  }
};

template <typename T>
using ObjectRef = std::unique_ptr<T, Call<g_object_unref>>;
template <typename T>
using GstRef = std::unique_ptr<T, Call<gst_object_unref>>;
using BytesRef = std::unique_ptr<GBytes, Call<g_bytes_unref>>;
using GString_ = std::unique_ptr<char, Call<g_free>>;

/// Mini objects. Their functions are inline and have internal linkage, therefore Call with one of
/// them would be another type in each file.
struct MiniObjectUnref {
  template <typename T>
  void operator()(T* object) const {
    gst_mini_object_unref(GST_MINI_OBJECT_CAST(object));
  }
};
using CapsRef = std::unique_ptr<GstCaps, MiniObjectUnref>;
using EventRef = std::unique_ptr<GstEvent, MiniObjectUnref>;
using MessageRef = std::unique_ptr<GstMessage, MiniObjectUnref>;
using BufferRef = std::unique_ptr<GstBuffer, MiniObjectUnref>;

/// A C string that may be NULL, as a std::string.
inline std::string to_string(const char* text) { return text ? std::string(text) : std::string(); }

}  // namespace sphere
