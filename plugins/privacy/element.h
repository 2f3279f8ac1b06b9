// SPDX-License-Identifier: LGPL-2.1-or-later
// What the elements of this plugin have in common: a pad at each end, and how they start and stop.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/base/element.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/element.h"

namespace sphere::privacy {

/// Makes a pad of a template of the same name, which passes caps on, and adds it to the element.
inline GstPad* add_pad(GstElement* element, const char* name) {
  GstElementClass* klass = GST_ELEMENT_GET_CLASS(element);
  GstPad* pad = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, name), name);
  GST_PAD_SET_PROXY_CAPS(pad);
  gst_element_add_pad(element, pad);
  return pad;
}

/// For an element's change_state: `self` is its C++ object.
template <typename Self>
GstStateChangeReturn change_state(Self& self, gpointer parent_class, GstElement* element,
                                  GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    consent::prepare(self.consent, element, &self.problems);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) self.start();
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) self.stop();
  return result;
}

/// For an element's set_context.
template <typename Self>
void set_context(Self& self, gpointer parent_class, GstElement* element, GstContext* context) {
  self.consent.set_context(context);
  GST_ELEMENT_CLASS(parent_class)->set_context(element, context);
}

/// For the class_init of an element without subclasses: its functions for properties, states and
/// contexts. To be called before the properties are installed.
template <typename Instance>
void install_gate(GstElementClass* klass) {
  install_object<Instance>(G_OBJECT_CLASS(klass));
  consent::install_context<Instance>(klass);
  klass->change_state = [](GstElement* element, GstStateChange transition) {
    return change_state(self_of<Instance>(element), parent_class_of<void>(element), element,
                        transition);
  };
}

/// For its init: buffers and events on the sink pad go to chain() and event() of the C++ object.
template <typename Instance>
void set_sink_functions(GstPad* sink) {
  const GstPadChainFunction chain = [](GstPad*, GstObject* parent, GstBuffer* buffer) {
    return self_of<Instance>(parent).chain(BufferRef(buffer));
  };
  const GstPadEventFunction take = [](GstPad*, GstObject* parent, GstEvent* event) {
    return self_of<Instance>(parent).event(event);
  };
  gst_pad_set_chain_function(sink, chain);
  gst_pad_set_event_function(sink, take);
}

}  // namespace sphere::privacy
