// SPDX-License-Identifier: LGPL-2.1-or-later
// GstSphereConsent: the decision for applications, in C and by introspection.

#include "gst/sphere/consent/gstsphereconsent.h"

#include <cmath>
#include <string_view>

#include "gst/sphere/base/gerror.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/guard.h"

struct _GstSphereConsent {
  GObject parent;
  GstCaps* caps;
  sphere::consent::SteadyClock* clock;
};

G_DEFINE_FINAL_TYPE(GstSphereConsent, gst_sphere_consent, G_TYPE_OBJECT)

namespace {

using namespace sphere::consent;

static_assert(GST_SPHERE_CONSENT_STATISTICS == static_cast<int>(Category::statistics));
static_assert(GST_SPHERE_CONSENT_FOR_LIVE == static_cast<int>(Purpose::live));
static_assert(GST_SPHERE_CONSENT_FOR_IMPROVE == static_cast<int>(Purpose::improve));
static_assert(std::string_view(GST_SPHERE_CONSENT_CONTEXT_TYPE) == context_type);
static_assert(GST_SPHERE_CONSENT_COUNTRY == static_cast<int>(Precision::country));

bool in_range(int value, size_t size) { return value >= 0 && value < static_cast<int>(size); }

void gst_sphere_consent_finalize(GObject* object) {
  gst_clear_caps(&GST_SPHERE_CONSENT(object)->caps);
  delete GST_SPHERE_CONSENT(object)->clock;
  G_OBJECT_CLASS(gst_sphere_consent_parent_class)->finalize(object);
}

}  // namespace

static void gst_sphere_consent_init(GstSphereConsent* consent) { consent->clock = new SteadyClock; }

static void gst_sphere_consent_class_init(GstSphereConsentClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = gst_sphere_consent_finalize;
}

/**
 * gst_sphere_consent_new:
 * @caps: (transfer none) (nullable): one structure for each category, such as
 *   `consent/audio, state=(string)given, purpose=(string)live`
 *
 * This never fails: caps that are not clearly grants allow nothing.
 *
 * Returns: (transfer full): the consent that these caps give
 *
 * Since: 0.1
 */
GstSphereConsent* gst_sphere_consent_new(GstCaps* caps) {
  g_return_val_if_fail(!caps || GST_IS_CAPS(caps), nullptr);
  auto* consent = GST_SPHERE_CONSENT(g_object_new(GST_TYPE_SPHERE_CONSENT, nullptr));
  consent->caps = caps ? gst_caps_copy(caps) : gst_caps_new_empty();
  return consent;
}

/**
 * gst_sphere_consent_new_from_string:
 * @text: caps as text
 * @error: return location for a #GError
 *
 * Reads a text that a person typed. Unlike gst_sphere_consent_new() it fails if the text is not a
 * valid grant, or if a field appears twice.
 *
 * Returns: (transfer full) (nullable): the consent that the text gives, or %NULL with @error set,
 *   which lists everything that is wrong
 *
 * Since: 0.1
 */
GstSphereConsent* gst_sphere_consent_new_from_string(const gchar* text, GError** error) {
  g_return_val_if_fail(text, nullptr);
  const CapsCheck check = check_caps_text(text, g_get_real_time());
  if (!check.problems.empty()) {
    std::string all;
    for (const std::string& problem : check.problems) all += (all.empty() ? "" : "; ") + problem;
    sphere::set_gerror(error, sphere::invalid(all));
    return nullptr;
  }
  const sphere::CapsRef caps(gst_caps_from_string(text));
  return gst_sphere_consent_new(caps.get());
}

/**
 * gst_sphere_consent_get_caps:
 * @consent: a consent
 *
 * The caps with which gst_sphere_consent_new() was called.
 *
 * Returns: (transfer full): the caps
 *
 * Since: 0.1
 */
GstCaps* gst_sphere_consent_get_caps(GstSphereConsent* consent) {
  g_return_val_if_fail(GST_IS_SPHERE_CONSENT(consent), nullptr);
  return gst_caps_ref(consent->caps);
}

/**
 * gst_sphere_consent_allows:
 * @consent: a consent
 * @category: the category of data
 * @purpose: the purpose for which it would be used
 * @reason: (out) (optional) (transfer full): the reason for the answer, as text
 *
 * Decides whether data may be used. If the clock shows an earlier time than at an earlier call for
 * @consent, grants that expire are denied.
 *
 * Returns: whether it is allowed now
 *
 * Since: 0.1
 */
gboolean gst_sphere_consent_allows(GstSphereConsent* consent, GstSphereConsentCategory category,
                                   GstSphereConsentPurpose purpose, gchar** reason) {
  g_return_val_if_fail(GST_IS_SPHERE_CONSENT(consent), FALSE);
  g_return_val_if_fail(in_range(category, categories.size()), FALSE);
  g_return_val_if_fail(in_range(purpose, purpose_names.size()), FALSE);
  const Answer answer = evaluate(consent->caps, static_cast<Category>(category),
                                 static_cast<Purpose>(purpose), consent->clock->now());
  if (reason) *reason = g_strdup(answer.reason.c_str());
  return answer.allowed;
}

/**
 * gst_sphere_consent_get_precision:
 * @consent: a consent
 * @purpose: the purpose for which a place would be used
 * @precision: (out): how exact the place may be
 *
 * Tells how exact a place may be for a purpose; see gst_sphere_consent_round_degrees().
 *
 * Returns: whether a place may be used at all; @precision is set only then
 *
 * Since: 0.1
 */
gboolean gst_sphere_consent_get_precision(GstSphereConsent* consent,
                                          GstSphereConsentPurpose purpose,
                                          GstSphereConsentPrecision* precision) {
  g_return_val_if_fail(GST_IS_SPHERE_CONSENT(consent) && precision, FALSE);
  g_return_val_if_fail(in_range(purpose, purpose_names.size()), FALSE);
  const Answer answer = evaluate(consent->caps, Category::location, static_cast<Purpose>(purpose),
                                 consent->clock->now());
  if (answer.allowed) *precision = static_cast<GstSphereConsentPrecision>(answer.precision);
  return answer.allowed;
}

/**
 * gst_sphere_consent_round_degrees:
 * @precision: how exact a place may be
 * @degrees: a longitude or a latitude
 *
 * Rounds a coordinate before it is written or sent.
 *
 * Returns: @degrees, rounded to @precision
 *
 * Since: 0.1
 */
gdouble gst_sphere_consent_round_degrees(GstSphereConsentPrecision precision, gdouble degrees) {
  g_return_val_if_fail(in_range(precision, precision_names.size()), 0);
  const double grid = grid_degrees(static_cast<Precision>(precision));
  return grid > 0 ? std::round(degrees / grid) * grid : degrees;
}

/**
 * gst_context_new_sphere_consent:
 * @caps: (transfer none): the consent, as caps
 *
 * Makes the context with which an application tells all elements of a pipeline, also those that are
 * added later, to what consent was given. Set it on the pipeline with gst_element_set_context(). To
 * change it, set another one.
 *
 * Returns: (transfer full): the context
 *
 * Since: 0.1
 */
GstContext* gst_context_new_sphere_consent(GstCaps* caps) {
  g_return_val_if_fail(GST_IS_CAPS(caps), nullptr);
  GstContext* context = gst_context_new(GST_SPHERE_CONSENT_CONTEXT_TYPE, TRUE);
  gst_structure_set(gst_context_writable_structure(context), context_field, GST_TYPE_CAPS, caps,
                    nullptr);
  return context;
}

/**
 * gst_context_get_sphere_consent:
 * @context: any context
 * @caps: (out) (optional) (transfer full): the consent, as caps
 *
 * Reads the consent from a context.
 *
 * Returns: whether this is a `gst.sphere.consent` context with caps
 *
 * Since: 0.1
 */
gboolean gst_context_get_sphere_consent(GstContext* context, GstCaps** caps) {
  g_return_val_if_fail(GST_IS_CONTEXT(context), FALSE);
  sphere::CapsRef given = caps_of_context(context);
  if (!given) return FALSE;
  if (caps) *caps = given.release();
  return TRUE;
}
