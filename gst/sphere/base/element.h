// SPDX-License-Identifier: LGPL-2.1-or-later
// What is the same in all elements whose C instance holds a C++ object in its member `self`. Their
// types must have no subclasses.

#pragma once

#include <gst/gst.h>

#include <map>
#include <optional>
#include <string>

#include "gst/sphere/base/position.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"

namespace sphere {

/// The C++ object of an element.
template <typename Instance>
auto& self_of(gpointer instance) {
  return *static_cast<Instance*>(instance)->self;
}

/// The class of an element's parent type.
template <typename Class>
Class* parent_class_of(gpointer instance) {
  return static_cast<Class*>(g_type_class_peek_parent(G_OBJECT_GET_CLASS(instance)));
}

/// Sets `set_property` and `get_property`, which call those of the C++ object, and `finalize`,
/// which deletes the C++ object. Its functions return false if no property has this id. To be
/// called before the properties are installed.
template <typename Instance>
void install_object(GObjectClass* klass) {
  klass->set_property = [](GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    if (!self_of<Instance>(object).set_property(id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  };
  klass->get_property = [](GObject* object, guint id, GValue* value, GParamSpec* spec) {
    if (!self_of<Instance>(object).get_property(id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  };
  klass->finalize = [](GObject* object) {
    delete &self_of<Instance>(object);
    parent_class_of<GObjectClass>(object)->finalize(object);
  };
}

/// The position that the text of a property tells; none if it is null or empty.
inline Result<std::optional<Position>> parse_position_setting(const char* text) {
  if (!text || !*text) return std::optional<Position>();
  const Result<Position> position = parse_position(text);
  if (!position) return position.error();
  return std::optional(*position);
}

/// Warns of wrong values of properties. A launch line sets them before the element is in a
/// pipeline, and the bus of a pipeline in NULL may drop messages: then the warning comes when it
/// starts.
class PropertyProblems {
 public:
  explicit PropertyProblems(GstElement* element) : element_(element) {}

  /// Whether the value that was set last is right. From any thread.
  void set(const char* property, const Status& status) {
    const bool is_heard = GST_STATE(element_) != GST_STATE_NULL;
    {
      const Lock lock(mutex_);
      untold_.erase(property);
      if (!status && !is_heard) untold_[property] = status.error().message;
    }
    if (!status && is_heard) warn(property, status.error().message);
  }
  /// Posts what nobody was told. To be called when the element starts.
  void tell() {
    std::map<std::string, std::string> untold;
    {
      const Lock lock(mutex_);
      untold.swap(untold_);
    }
    for (const auto& [property, message] : untold) warn(property.c_str(), message);
  }

 private:
  void warn(const char* property, const std::string& message) {
    GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS,
                        ("The property '%s' is not used: %s.", property, message.c_str()),
                        (nullptr));
  }

  GstElement* const element_;
  Mutex mutex_;  // protects untold_; never held across a post
  std::map<std::string, std::string> untold_ SPHERE_GUARDED_BY(mutex_);
};

/// Registers an enumeration, and tells the documentation that a plugin uses it. To be called once.
inline GType register_plugin_enum(const char* name, const GEnumValue* values) {
  const GType registered = g_enum_register_static(name, values);
  gst_type_mark_as_plugin_api(registered, static_cast<GstPluginAPIFlags>(0));
  return registered;
}

/// Adds the templates of the pads `sink` and `src`, which both take these caps and are always
/// there.
inline void install_pads(GstElementClass* klass, const char* caps_text) {
  GstCaps* caps = gst_caps_from_string(caps_text);
  // It belongs to the class, which is never freed.
  GST_MINI_OBJECT_FLAG_SET(caps, GST_MINI_OBJECT_FLAG_MAY_BE_LEAKED);
  const auto add = [&](const char* name, GstPadDirection direction) {
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps));
  };
  add("sink", GST_PAD_SINK);
  add("src", GST_PAD_SRC);
  gst_caps_unref(caps);
}

}  // namespace sphere
