/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:gstsphere
 * @title: libgstsphere
 *
 * Functions for applications. Include only this header.
 */

#pragma once

#include <gst/sphere/base/gstsphereerror.h>
#include <gst/sphere/consent/gstsphereconsent.h>
#include <gst/sphere/lens/gstspherelens.h>
#include <gst/sphere/orientation/gstsphereorientationmeta.h>
