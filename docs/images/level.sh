#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes level.jpg: a view of a real photo without and with `--level horizon`. Run it with
# `./dev run docs/images/level.sh`.

set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
photo=$here/../../../shared/data/gear360-street.png
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

for level in off horizon; do
  sphere reframe "$photo" "$folder/$level.png" --lens auto --level "$level" --yaw -160 --fov 100 --size 640x400 \
    --drawer cpu
done
ffmpeg -v error -y -i "$folder/off.png" -i "$folder/horizon.png" -filter_complex hstack -q:v 4 "$here/level.jpg"
