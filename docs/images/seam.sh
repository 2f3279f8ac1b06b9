#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes seam.jpg: the left seam of spheretestsrc's near scene, with a hard seam, the feather, multiband,
# match=gain, align=seam, and the last three at once. Run it with `./dev run docs/images/seam.sh`.

set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

profile() { # NAME FRONT BACK: dual-190 with a baseline, and more fields of the lenses
  cat > "$work/$1.json" <<END
{"format": "gst-sphere-lens", "version": 1, "name": "$1", "frame": [3840, 1920], "layout": "side-by-side",
 "baseline": 0.025, "lenses": {
  "front": {"position": "right", "model": "equidistant", "fov": 190, "radius": 960$2},
  "back": {"position": "left", "model": "equidistant", "fov": 190, "radius": 960$3}}}
END
}
profile plain "" ""
profile uneven ', "gain": 1.25, "vignette": [-0.08, -0.06, 0]' ', "gain": 0.97, "vignette": [-0.03, -0.04, 0]'

sinks= chains= number=0
for options in "blend=off" "blend=feather" "blend=multiband" "match=gain" "align=seam" \
  "blend=multiband match=gain align=seam"; do
  sinks+=" sink_$number::xpos=$((number * 250))"
  chains+=" spheretestsrc num-buffers=1 depth=true lens=$work/uneven.json ! video/x-raw,width=1920"
  chains+=" ! cpuspherestitch lens=$work/plain.json $options ! videoconvert"
  chains+=" ! videocrop left=360 right=1320 top=120 bottom=300 ! mix.sink_$number"
  number=$((number + 1))
done
# shellcheck disable=SC2086
gst-launch-1.0 -q compositor name=mix background=white $sinks ! video/x-raw,width=1490,height=540 ! videoconvert \
  ! jpegenc quality=88 ! filesink location="$here/seam.jpg" $chains
