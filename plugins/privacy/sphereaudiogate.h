// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHERE_AUDIO_GATE (gst_sphere_audio_gate_get_type())
G_DECLARE_FINAL_TYPE(GstSphereAudioGate, gst_sphere_audio_gate, GST, SPHERE_AUDIO_GATE, GstElement)
GST_ELEMENT_REGISTER_DECLARE(sphereaudiogate)

G_END_DECLS
