/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/sphere/base/gstsphereprelude.h>

G_BEGIN_DECLS

/**
 * GST_SPHERE_ERROR:
 *
 * Error domain of this library. Codes are of #GstSphereError.
 *
 * Since: 0.1
 */
#define GST_SPHERE_ERROR (gst_sphere_error_quark())
GST_SPHERE_API
GQuark gst_sphere_error_quark(void);

/**
 * GstSphereError:
 * @GST_SPHERE_ERROR_NOT_FOUND: what was named does not exist
 * @GST_SPHERE_ERROR_INVALID: what was given does not say what it should
 * @GST_SPHERE_ERROR_UNSUPPORTED: well-formed, but this build can't do it
 * @GST_SPHERE_ERROR_FAILED: the system refused
 *
 * Why a function of this library gave nothing. The message of the #GError says it in words.
 *
 * Since: 0.1
 */
typedef enum {
  GST_SPHERE_ERROR_NOT_FOUND,
  GST_SPHERE_ERROR_INVALID,
  GST_SPHERE_ERROR_UNSUPPORTED,
  GST_SPHERE_ERROR_FAILED,
} GstSphereError;

G_END_DECLS
