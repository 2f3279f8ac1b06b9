/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gst/gst.h>

#ifndef GST_SPHERE_API
#ifdef BUILDING_GST_SPHERE
#define GST_SPHERE_API GST_API_EXPORT
#else
#define GST_SPHERE_API GST_API_IMPORT
#endif
#endif
