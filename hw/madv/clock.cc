// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/clock.h"

#include "gst/sphere/base/gobject.h"

namespace sphere::madv {

std::string camera_clock() {
  g_autoptr(GDateTime) time = g_date_time_new_now_local();
  // The last digit is the weekday. The vendor's two clients count it from different days, therefore
  // the camera can't depend on it; Sunday is 1 here.
  return std::string(GString_(g_date_time_format(time, "%Y-%m-%d-%H-%M-%S-")).get()) +
         std::to_string(g_date_time_get_day_of_week(time) % 7 + 1);
}

std::string generic_clock() {
  g_autoptr(GDateTime) time = g_date_time_new_now_local();
  return GString_(g_date_time_format(time, "%Y-%m-%d %H:%M:%S")).get();
}

}  // namespace sphere::madv
