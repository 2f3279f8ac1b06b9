// SPDX-License-Identifier: LGPL-2.1-or-later
// The error domain of the library, and the conversion of an Error to a GError.

#include "gst/sphere/base/gstsphereerror.h"

#include "gst/sphere/base/gerror.h"

/**
 * gst_sphere_error_quark:
 *
 * The error domain of this library, `gst-sphere-error-quark`.
 *
 * Returns: the #GQuark of the error domain
 *
 * Since: 0.1
 */
GQuark gst_sphere_error_quark(void) { return g_quark_from_static_string("gst-sphere-error-quark"); }

namespace sphere {

void set_gerror(GError** error, const Error& reason) {
  const GstSphereError code = [&] {
    switch (reason.kind) {
      case Error::Kind::not_found:
        return GST_SPHERE_ERROR_NOT_FOUND;
      case Error::Kind::invalid:
        return GST_SPHERE_ERROR_INVALID;
      case Error::Kind::unsupported:
        return GST_SPHERE_ERROR_UNSUPPORTED;
      case Error::Kind::failed:
        break;
    }
    return GST_SPHERE_ERROR_FAILED;
  }();
  g_set_error_literal(error, GST_SPHERE_ERROR, code, reason.message.c_str());
}

}  // namespace sphere
