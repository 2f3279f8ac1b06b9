// SPDX-License-Identifier: LGPL-2.1-or-later
// The types of sound streams.

#pragma once

// Caps have no wildcards: what GStreamer's sources, parsers and encoders give.
#define SPHERE_SOUND_CAPS                                                                          \
  "audio/x-raw; audio/mpeg; audio/x-opus; audio/x-alaw; audio/x-mulaw; audio/x-vorbis; "           \
  "audio/x-flac; audio/x-ac3; audio/ac3; audio/x-eac3; audio/x-dts; audio/x-alac; audio/x-adpcm; " \
  "audio/x-speex; audio/AMR; audio/AMR-WB; audio/G722; audio/G723; audio/G729; audio/x-gsm; "      \
  "audio/x-iLBC; audio/x-sbc; audio/x-wma; audio/x-wavpack; audio/x-tta; audio/x-true-hd; "        \
  "audio/x-siren; audio/x-celt; audio/x-ac4; audio/aptx; audio/aptx-hd"
