/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/sphere/base/gstsphereprelude.h>

G_BEGIN_DECLS

/**
 * GstSphereConsentCategory:
 * @GST_SPHERE_CONSENT_LOCATION: where a picture was taken
 * @GST_SPHERE_CONSENT_AUDIO: sound
 * @GST_SPHERE_CONSENT_STORAGE: media from a camera on this machine
 * @GST_SPHERE_CONSENT_DEVICE: model, serial number and firmware of a camera
 * @GST_SPHERE_CONSENT_NETWORK: the name of a Wi-Fi network
 * @GST_SPHERE_CONSENT_ENVIRONMENT: GPU, driver and system of this machine
 * @GST_SPHERE_CONSENT_STATISTICS: counts and durations
 *
 * Categories of data to which a person can give consent.
 *
 * Since: 0.1
 */
typedef enum {
  GST_SPHERE_CONSENT_LOCATION,
  GST_SPHERE_CONSENT_AUDIO,
  GST_SPHERE_CONSENT_STORAGE,
  GST_SPHERE_CONSENT_DEVICE,
  GST_SPHERE_CONSENT_NETWORK,
  GST_SPHERE_CONSENT_ENVIRONMENT,
  GST_SPHERE_CONSENT_STATISTICS,
} GstSphereConsentCategory;

/**
 * GstSphereConsentPurpose:
 * @GST_SPHERE_CONSENT_FOR_GEOTAG: a place is written into media
 * @GST_SPHERE_CONSENT_FOR_CAMERA: a place is sent to the camera
 * @GST_SPHERE_CONSENT_FOR_SHARE: it is passed on to others
 * @GST_SPHERE_CONSENT_FOR_LIVE: sound is played or streamed live
 * @GST_SPHERE_CONSENT_FOR_RECORD: sound is recorded
 * @GST_SPHERE_CONSENT_FOR_EDIT: sound is used while editing
 * @GST_SPHERE_CONSENT_FOR_SAVE: media are saved from the camera onto this machine
 * @GST_SPHERE_CONSENT_FOR_BIND: the data about a camera are stored
 * @GST_SPHERE_CONSENT_FOR_REPAIR: a fault is reported
 * @GST_SPHERE_CONSENT_FOR_IMPROVE: the software is improved
 *
 * Purposes for which consent is given.
 *
 * Since: 0.1
 */
typedef enum {
  GST_SPHERE_CONSENT_FOR_GEOTAG,
  GST_SPHERE_CONSENT_FOR_CAMERA,
  GST_SPHERE_CONSENT_FOR_SHARE,
  GST_SPHERE_CONSENT_FOR_LIVE,
  GST_SPHERE_CONSENT_FOR_RECORD,
  GST_SPHERE_CONSENT_FOR_EDIT,
  GST_SPHERE_CONSENT_FOR_SAVE,
  GST_SPHERE_CONSENT_FOR_BIND,
  GST_SPHERE_CONSENT_FOR_REPAIR,
  GST_SPHERE_CONSENT_FOR_IMPROVE,
} GstSphereConsentPurpose;

/**
 * GstSphereConsentPrecision:
 * @GST_SPHERE_CONSENT_EXACT: not rounded
 * @GST_SPHERE_CONSENT_STREET: rounded to 0.001 degrees
 * @GST_SPHERE_CONSENT_NEIGHBOURHOOD: rounded to 0.01 degrees
 * @GST_SPHERE_CONSENT_CITY: rounded to 0.1 degrees
 * @GST_SPHERE_CONSENT_COUNTRY: rounded to 1 degree
 *
 * How exact a place may be.
 *
 * Since: 0.1
 */
typedef enum {
  GST_SPHERE_CONSENT_EXACT,
  GST_SPHERE_CONSENT_STREET,
  GST_SPHERE_CONSENT_NEIGHBOURHOOD,
  GST_SPHERE_CONSENT_CITY,
  GST_SPHERE_CONSENT_COUNTRY,
} GstSphereConsentPrecision;

/**
 * GST_SPHERE_CONSENT_CONTEXT_TYPE:
 *
 * The type of the #GstContext with which an application tells all elements of a pipeline to what
 * consent was given.
 *
 * Since: 0.1
 */
#define GST_SPHERE_CONSENT_CONTEXT_TYPE "gst.sphere.consent"

/**
 * GstSphereConsentClass:
 *
 * The class of #GstSphereConsent. Nothing can be derived from it.
 *
 * Since: 0.1
 */
/**
 * GstSphereConsent:
 *
 * The consent of a person: a set of grants in the form of caps, and the decision about it.
 * It is immutable, so several threads may use it.
 *
 * Since: 0.1
 */
#define GST_TYPE_SPHERE_CONSENT (gst_sphere_consent_get_type())
GST_SPHERE_API
G_DECLARE_FINAL_TYPE(GstSphereConsent, gst_sphere_consent, GST, SPHERE_CONSENT, GObject)

GST_SPHERE_API
GstSphereConsent* gst_sphere_consent_new(GstCaps* caps);
GST_SPHERE_API
GstSphereConsent* gst_sphere_consent_new_from_string(const gchar* text, GError** error);
GST_SPHERE_API
GstCaps* gst_sphere_consent_get_caps(GstSphereConsent* consent);

GST_SPHERE_API
gboolean gst_sphere_consent_allows(GstSphereConsent* consent, GstSphereConsentCategory category,
                                   GstSphereConsentPurpose purpose, gchar** reason);
GST_SPHERE_API
gboolean gst_sphere_consent_get_precision(GstSphereConsent* consent,
                                          GstSphereConsentPurpose purpose,
                                          GstSphereConsentPrecision* precision);
GST_SPHERE_API
gdouble gst_sphere_consent_round_degrees(GstSphereConsentPrecision precision, gdouble degrees);

GST_SPHERE_API
GstContext* gst_context_new_sphere_consent(GstCaps* caps);
GST_SPHERE_API
gboolean gst_context_get_sphere_consent(GstContext* context, GstCaps** caps);

G_END_DECLS
