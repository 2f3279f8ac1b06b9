// SPDX-License-Identifier: LGPL-2.1-or-later
// The messages of the elements for cameras on the bus.

#pragma once

#include <gst/gst.h>

#include <chrono>
#include <string>

#include "hw/camera.h"

namespace sphere::camera {

/// An error, with the domain and code that the reason has.
void post_failure(GstElement* element, const hw::Failure& failure);
/// The same for a file on the card: what the camera refuses is a file that it does not have.
void post_file_failure(GstElement* element, const hw::Failure& failure);
/// A warning with the same; `more` is a sentence without its full stop, or empty.
void post_warning(GstElement* element, const hw::Failure& failure, const std::string& more);
/// A warning of an element of the preview, unchanged.
void post_preview_warning(GstElement* element, GQuark domain, int code, const std::string& text,
                          const std::string& detail);
/// An error: a property has a value that can't be used.
void post_settings_error(GstElement* element, const std::string& text);
/// A warning: the camera did not do what it was asked for.
void post_refusal(GstElement* element, const hw::Failure& failure);
void post_info(GstElement* element, const std::string& text);

/// `sphere-connection`
void post_connection(GstElement* element, const char* state, const std::string& reason,
                     std::chrono::microseconds pause);
/// `sphere-camera`
void post_state(GstElement* element, const hw::CameraState& state);
/// `sphere-notification`
void post_notification(GstElement* element, const hw::CameraEvent& event);

}  // namespace sphere::camera
