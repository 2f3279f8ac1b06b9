// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_TEST_SRC (gst_sphere_test_src_get_type())
G_DECLARE_FINAL_TYPE(GstSphereTestSrc, gst_sphere_test_src, GST, SPHERE_TEST_SRC, GstPushSrc)
GST_ELEMENT_REGISTER_DECLARE(spheretestsrc)

G_END_DECLS
