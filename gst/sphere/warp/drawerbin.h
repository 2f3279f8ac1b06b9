// SPDX-License-Identifier: LGPL-2.1-or-later
// What the bins have in common that choose between an element for the GPU and one for the CPU.

#pragma once

#include <gst/gst.h>

#include <string>

#include "gst/sphere/base/thread.h"

namespace sphere {

/// A bin with one sink pad and one source pad. In the state READY it has the element that suits
/// this machine; its properties are bound to the properties of the bin with the same names.
class DrawerBin {
 public:
  struct Names {
    const char* gl;       ///< the element for a GPU
    const char* cpu;      ///< the one for the CPU
    const char* message;  ///< the element message that tells the choice
    const char* member;   ///< the name of the chosen element, in the message and as a property
    GstDebugCategory* category;
  };
  /// Adds the two pads of the templates `sink` and `src` to the bin, which owns this object.
  /// `binding`: whether the bin's properties follow the element's.
  DrawerBin(GstBin* bin, const Names& names, GBindingFlags binding);
  DrawerBin(const DrawerBin&) = delete;
  DrawerBin& operator=(const DrawerBin&) = delete;

  /// For change_state; `parent` is that of the base class.
  GstStateChangeReturn change_state(GstStateChange transition,
                                    GstStateChangeReturn (*parent)(GstElement*, GstStateChange));

  /// The name of the chosen element and why it was chosen; false before the state READY.
  bool choice(std::string* name, std::string* reason);

 private:
  bool fill();
  bool add_elements(bool gl);
  void empty();
  void bind_properties(GstElement* child);

  GstBin* const bin_;
  const Names names_;
  const GBindingFlags binding_;
  GstPad* const sink_;  // of the bin
  GstPad* const src_;   // of the bin
  // Protects the choice. Held only while it is copied, never across a post.
  Mutex mutex_;
  std::string name_ SPHERE_GUARDED_BY(mutex_), reason_ SPHERE_GUARDED_BY(mutex_);
};

/// Installs the two properties that tell the choice. `nick` and `member` are those of the chosen
/// element.
void install_choice_properties(GObjectClass* klass, guint member_id, const char* member,
                               const char* nick, const char* blurb, guint reason_id,
                               const char* reason_blurb);

}  // namespace sphere
