/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/sphere/base/gstsphereprelude.h>

G_BEGIN_DECLS

/**
 * GST_SPHERE_ERROR:
 *
 * Error domain of this library. Its codes are #GstSphereError.
 *
 * Since: 0.1
 */
#define GST_SPHERE_ERROR (gst_sphere_error_quark())
GST_SPHERE_API
GQuark gst_sphere_error_quark(void);

/**
 * GstSphereError:
 * @GST_SPHERE_ERROR_NOT_FOUND: the named thing does not exist
 * @GST_SPHERE_ERROR_INVALID: the content of an argument or a file is wrong
 * @GST_SPHERE_ERROR_UNSUPPORTED: it is valid, but this build does not support it
 * @GST_SPHERE_ERROR_FAILED: the operating system reported an error
 * @GST_SPHERE_ERROR_BUSY: another program has the camera, or it is doing something else
 * @GST_SPHERE_ERROR_REFUSED: the camera refuses it
 * @GST_SPHERE_ERROR_TIMED_OUT: the camera does not answer
 * @GST_SPHERE_ERROR_LOST: there is no connection to the camera, or it was lost
 * @GST_SPHERE_ERROR_NOT_AUTHORIZED: there is no consent for it
 *
 * Why a function of this library failed. The message of the #GError explains it.
 *
 * Since: 0.1
 */
typedef enum {
  GST_SPHERE_ERROR_NOT_FOUND,
  GST_SPHERE_ERROR_INVALID,
  GST_SPHERE_ERROR_UNSUPPORTED,
  GST_SPHERE_ERROR_FAILED,
  GST_SPHERE_ERROR_BUSY,
  GST_SPHERE_ERROR_REFUSED,
  GST_SPHERE_ERROR_TIMED_OUT,
  GST_SPHERE_ERROR_LOST,
  GST_SPHERE_ERROR_NOT_AUTHORIZED,
} GstSphereError;

G_END_DECLS
