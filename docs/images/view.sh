#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes view.jpg: a 360 picture, and what the four keyframes of docs/view.md show of it. Run it with
# `./dev run docs/images/view.sh`.

set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

chains=
panel() { # NUMBER WIDTH HEIGHT PROPERTIES
  chains+=" sphere. ! queue ! cpusphereview interpolation=cubic $4"
  chains+=" ! video/x-raw,width=$2,height=$3,pixel-aspect-ratio=1/1 ! videoconvert ! mix.sink_$1"
}
panel 0 720 360 "projection=equirect"
panel 1 320 175 "yaw=-30 fov=100"
panel 2 320 175 "yaw=60 pitch=10 fov=60"
panel 3 320 175 "yaw=60 fov=110"
panel 4 320 175 "projection=little-planet yaw=60"
# shellcheck disable=SC2086
gst-launch-1.0 -q compositor name=mix background=white sink_1::xpos=730 sink_2::xpos=1060 \
  sink_3::xpos=730 sink_3::ypos=185 sink_4::xpos=1060 sink_4::ypos=185 \
  ! video/x-raw,width=1380,height=360 ! videoconvert ! jpegenc quality=85 ! filesink location="$here/view.jpg" \
  spheretestsrc num-buffers=1 output=equirect ! video/x-raw,width=3840,height=1920 ! tee name=sphere $chains
