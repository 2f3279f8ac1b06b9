// SPDX-License-Identifier: LGPL-2.1-or-later
// What all elements that ask for consent have in common: two properties, and how they start.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/base/element.h"
#include "gst/sphere/consent/guard.h"

namespace sphere::consent {

/// The ids of the properties `consent` and `ledger`, which may be set while playing. The ids of an
/// element's own properties begin after them.
enum : guint { PROP_CONSENT = 1, PROP_LEDGER, PROP_FIRST_OF_ELEMENT };

void install_properties(GObjectClass* klass);

/// For an element's set_property and get_property; false if the property is none of the two. Caps
/// that give nothing, or less than they seem to, are told in the log. NULL caps deny, because a
/// text that can't be parsed becomes NULL; that differs from a property that was never set.
bool set_property(Consent& consent, GstElement* element, guint id, const GValue* value);
bool get_property(const Consent& consent, guint id, GValue* value);

/// Posts a warning for each problem that a person has to solve before a source of consent can be
/// used again, such as a ledger that was removed while the pipeline played. Used by one thread at a
/// time; posts, and so is to be called with no lock held.
class ProblemReporter {
 public:
  void report(GstElement* element, const std::string& problem);
  /// The same problem is reported once more after this.
  void reset() { last_.clear(); }

 private:
  std::string last_;
};

/// From NULL to READY: tries once more to open a ledger that could not be opened, warns on the bus
/// if it still can't be, and gives the application its chance to set the context. The element's
/// `set_context` hands what comes to Consent::set_context() and to its parent class. An element
/// that reports problems while it plays hands its reporter over, so that nothing is said twice.
void prepare(Consent& consent, GstElement* element, ProblemReporter* problems = nullptr);

/// Sets `set_context` of an element whose C++ object has a member `consent`.
template <typename Instance>
void install_context(GstElementClass* klass) {
  klass->set_context = [](GstElement* element, GstContext* context) {
    self_of<Instance>(element).consent.set_context(context);
    parent_class_of<GstElementClass>(element)->set_context(element, context);
  };
}

/// The same, and a `change_state` that does nothing but to call prepare().
template <typename Instance>
void install_element(GstElementClass* klass) {
  install_context<Instance>(klass);
  klass->change_state = [](GstElement* element, GstStateChange transition) {
    if (transition == GST_STATE_CHANGE_NULL_TO_READY)
      prepare(self_of<Instance>(element).consent, element);
    return parent_class_of<GstElementClass>(element)->change_state(element, transition);
  };
}

}  // namespace sphere::consent
