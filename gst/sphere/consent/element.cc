// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties and the start that all elements that ask for consent share.

#include "gst/sphere/consent/element.h"

#include "gst/sphere/base/printable.h"

GST_DEBUG_CATEGORY_STATIC(consent_debug);
#define GST_CAT_DEFAULT consent_debug

namespace sphere::consent {

void install_properties(GObjectClass* klass) {
  GST_DEBUG_CATEGORY_INIT(consent_debug, "sphereconsent", 0,
                          "consent that is given, and errors in it");
  constexpr auto playing = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                    GST_PARAM_MUTABLE_PLAYING);
  g_object_class_install_property(
      klass, PROP_CONSENT,
      g_param_spec_boxed(
          "consent", "Consent",
          "Consent that is given, such as consent/audio, state=(string)given, "
          "purpose=(string)live; if it is not set, the other sources of consent decide",
          GST_TYPE_CAPS, playing));
  g_object_class_install_property(
      klass, PROP_LEDGER,
      g_param_spec_string("ledger", "Ledger",
                          "A consent ledger, which must also allow it: a path, or default for the "
                          "user's own ledger",
                          nullptr, playing));
}

namespace {

void set_caps(Consent& consent, GstElement* element, const GstCaps* caps) {
  const CapsRef nothing(caps ? nullptr : gst_caps_new_empty());
  if (!caps)
    GST_WARNING_OBJECT(element, "the property consent was set to NULL: everything is denied");
  for (const std::string& problem : problems_of(caps))
    GST_WARNING_OBJECT(element, "the property consent: %s", problem.c_str());
  consent.set_caps(caps ? caps : nothing.get());
}

void set_ledger(Consent& consent, GstElement* element, const char* name) {
  const Status opened = consent.set_ledger(name ? std::optional<std::string>(name) : std::nullopt);
  if (!opened) GST_WARNING_OBJECT(element, "%s", opened.error().message.c_str());
}

}  // namespace

bool set_property(Consent& consent, GstElement* element, guint id, const GValue* value) {
  if (id == PROP_CONSENT)
    set_caps(consent, element, gst_value_get_caps(value));
  else if (id == PROP_LEDGER)
    set_ledger(consent, element, g_value_get_string(value));
  else
    return false;
  return true;
}

bool get_property(const Consent& consent, guint id, GValue* value) {
  if (id == PROP_CONSENT) {
    g_value_take_boxed(value, consent.caps().release());
  } else if (id == PROP_LEDGER) {
    const std::optional<std::string> ledger = consent.ledger();
    g_value_set_string(value, ledger ? ledger->c_str() : nullptr);
  } else {
    return false;
  }
  return true;
}

void prepare(Consent& consent, GstElement* element, ProblemReporter* problems) {
  ProblemReporter own;
  if (!problems) problems = &own;
  problems->reset();
  if (const Status ledger = consent.retry_ledger(); !ledger)
    problems->report(element, ledger.error().message);
  const CapsRef caps = consent.caps();
  for (const std::string& problem : problems_of(caps.get()))
    GST_ELEMENT_WARNING(element, RESOURCE, NOT_AUTHORIZED,
                        ("The property consent contains an error: %s.", problem.c_str()),
                        (nullptr));
  if (!consent.has_context())
    gst_element_post_message(element,
                             gst_message_new_need_context(GST_OBJECT(element), context_type));
}

void ProblemReporter::report(GstElement* element, const std::string& problem) {
  if (problem == last_) return;
  last_ = problem;
  if (!last_.empty())
    GST_ELEMENT_WARNING(element, RESOURCE, NOT_AUTHORIZED,
                        ("Nothing is allowed: %s.", printable(last_).c_str()), (nullptr));
}

}  // namespace sphere::consent
