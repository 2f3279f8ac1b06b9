// SPDX-License-Identifier: LGPL-2.1-or-later
// What the outputs have in common.

#pragma once

#include <gst/gst.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "gst/live/target.h"
#include "gst/sphere/base/result.h"

namespace sphere::live {

/// A bin of this description of elements, floating. The sink pads of the elements named `video` and
/// `audio` are its pads of these names.
Result<GstElement*> make_output_bin(const std::string& description);

/// An error if one of these elements is not installed.
Status check_elements(std::initializer_list<const char*> factories);

/// An error if the target has a setting whose name is not among these.
Status check_settings(const Target& target, std::initializer_list<std::string_view> known);
/// A setting as a number; `otherwise` if it is not there.
Result<double> number_setting(const Target& target, const std::string& name, double otherwise,
                              double least, double most);

/// The domain and the code of an error message.
bool is_error(GstMessage* message, GQuark domain, int code);

/// The element of a bin with this name; borrowed from the bin.
GstElement* child_of(GstElement* bin, const char* name);

/// Whether at least some seconds of a stream fit on the disk of this folder; the error says that it
/// is full.
Status check_space(const std::string& folder);

}  // namespace sphere::live
