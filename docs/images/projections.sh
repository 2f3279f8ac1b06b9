#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes projections.jpg: one dual-fisheye picture in each projection but the equirectangular one. Run it with
# `./dev run docs/images/projections.sh`.

set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

chains=
panel() { # NUMBER WIDTH HEIGHT PROPERTIES
  chains+=" fisheyes. ! queue ! cpuspherestitch $4 ! video/x-raw,width=$2,height=$3,pixel-aspect-ratio=1/1"
  chains+=" ! videoconvert ! mix.sink_$1"
}
panel 0 480 320 "projection=cubemap"
panel 1 480 320 "projection=eac"
panel 2 400 400 "projection=little-planet"
panel 3 569 320 "projection=perspective fov=100"
panel 4 480 320 "projection=stereographic fov=240"
# shellcheck disable=SC2086
gst-launch-1.0 -q compositor name=mix background=white sink_1::ypos=330 sink_2::xpos=490 \
  sink_3::xpos=900 sink_4::xpos=900 sink_4::ypos=330 sink_2::ypos=125 \
  ! video/x-raw,width=1469,height=650 ! videoconvert ! jpegenc quality=88 ! filesink location="$here/projections.jpg" \
  spheretestsrc num-buffers=1 ! video/x-raw,width=3840 ! tee name=fisheyes $chains
