// SPDX-License-Identifier: LGPL-2.1-or-later The RTSP server of Ambarella's cameras, as its answers
// in a packet capture of the sister camera show it.

#pragma once

#include <gst/rtsp/rtsp.h>

#include <string>

namespace sphere::madv_emulator {

/// Changes an answer of GStreamer's server into the form of the camera's: the methods that it names
/// (no RECORD), and its descriptions (SDP).
void change_answer(GstRTSPMessage* message);

/// The description of a camera, from that of GStreamer's server.
std::string camera_description(const std::string& sdp);

}  // namespace sphere::madv_emulator
