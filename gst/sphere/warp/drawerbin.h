// SPDX-License-Identifier: LGPL-2.1-or-later
// What the bins have in common that choose between an element for the GPU and one for the CPU.

#pragma once

#include <gst/gst.h>

#include <functional>
#include <string>
#include <vector>

#include "gst/sphere/base/element.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/warp/elementproperties.h"
#include "gst/sphere/warp/warptransform.h"

/// The formats that such a bin takes and makes, in any memory.
#define SPHERE_DRAWER_CAPS                \
  GST_VIDEO_CAPS_MAKE(SPHERE_CPU_FORMATS) \
  "; " GST_VIDEO_CAPS_MAKE_WITH_FEATURES("ANY", SPHERE_CPU_FORMATS)

namespace sphere {

/// A bin with one sink pad and one source pad. In the state READY it has the element that suits
/// this machine; its properties are kept equal to the properties of the bin with the same names,
/// whichever thread sets them.
class DrawerBin {
 public:
  /// Whether the element inside changes its properties by itself, so that the bin's must follow.
  enum class Inside { changes_nothing, changes_properties };
  struct Names {
    const char* gl;       ///< the element for a GPU
    const char* cpu;      ///< the one for the CPU
    const char* message;  ///< the element message that tells the choice
    const char* member;   ///< the name of the chosen element, in the message and as a property
    guint member_id;      ///< of that property; `reason` has the next id
    GstDebugCategory* category;
  };
  /// Adds the two pads of the templates `sink` and `src` to the bin, which owns this object.
  /// `set_own` sets the value of one of the bin's own properties and does nothing else.
  using SetOwn = std::function<void(guint id, const GValue*)>;
  DrawerBin(GstBin* bin, const Names& names, Inside inside, SetOwn set_own);
  DrawerBin(const DrawerBin&) = delete;
  DrawerBin& operator=(const DrawerBin&) = delete;

  /// For change_state; `parent` is that of the base class.
  GstStateChangeReturn change_state(GstStateChange transition,
                                    GstStateChangeReturn (*parent)(GstElement*, GstStateChange));

  /// To be called when a property of the bin was set: when it returns, the element has the value.
  void pass_property(guint id) const;

  /// The properties that tell the name of the chosen element and why it was chosen, which are unset
  /// before the state READY. Returns false if the id belongs to another property.
  bool get_property(guint id, GValue* value);

 private:
  bool fill();
  bool add_elements(bool gl);
  void empty();
  void keep_equal(GstElement* element);
  void pass(GParamSpec* spec, GObject* element) const;
  void follow(GParamSpec* spec, GObject* element) const;

  GstBin* const bin_;
  const Names names_;
  const Inside inside_;
  const SetOwn set_own_;
  const std::vector<GParamSpec*> shared_;  // the properties that are kept equal
  GstPad* const sink_;                     // of the bin
  GstPad* const src_;                      // of the bin
  // Protects what follows. Held only while it is copied, never across a post or a property.
  mutable Mutex mutex_;
  std::string name_ SPHERE_GUARDED_BY(mutex_), reason_ SPHERE_GUARDED_BY(mutex_);
  std::vector<ObjectRef<GObject>> elements_ SPHERE_GUARDED_BY(mutex_);
};

/// Installs the two properties that tell the choice. `nick` and `member` are those of the chosen
/// element; `reason` gets the id after `member_id`.
void install_choice_properties(GObjectClass* klass, guint member_id, const char* member,
                               const char* nick, const char* blurb, const char* reason_blurb);

/// The C++ object of such a bin. `common` has the values of the properties, to which those of the
/// element inside are kept equal.
template <typename Common, guint threads_id>
class DrawerBinElement : public WithThreads<Common, threads_id> {
  using Base = WithThreads<Common, threads_id>;

 public:
  DrawerBinElement(GstBin* bin, const DrawerBin::Names& names, DrawerBin::Inside inside)
      : Base(GST_ELEMENT(bin)), drawer(bin, names, inside, [this](guint id, const GValue* value) {
          Base::set_property(id, value);
        }) {}

  bool set_property(guint id, const GValue* value) {
    if (!Base::set_property(id, value)) return false;
    drawer.pass_property(id);
    return true;
  }

  bool get_property(guint id, GValue* value) {
    return Base::get_property(id, value) || drawer.get_property(id, value);
  }

  DrawerBin drawer;
};

/// Sets the class's functions of such a bin, and adds the pads.
template <typename Instance>
void install_drawer_bin(GstElementClass* klass) {
  install_pads(klass, SPHERE_DRAWER_CAPS);
  klass->change_state = [](GstElement* element, GstStateChange transition) {
    return self_of<Instance>(element).drawer.change_state(
        transition, parent_class_of<GstElementClass>(element)->change_state);
  };
}

}  // namespace sphere
