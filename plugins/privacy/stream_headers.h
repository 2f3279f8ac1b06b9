// SPDX-License-Identifier: LGPL-2.1-or-later
// The headers of Xiph's codecs without personal data: they keep what a decoder needs. Comments,
// pictures, checksums of the sound and names of programs are removed.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sphere::privacy {

using Header = std::vector<uint8_t>;

/// Of an Opus stream, `OpusHead` or `OpusTags`. Empty if it is neither.
Header clean_opus_header(std::span<const uint8_t> header);

/// All headers of a stream of the caps' name `codec`, such as audio/x-vorbis, as in the field
/// `streamheader`. Empty if it is not known which of their bytes a decoder needs.
std::vector<Header> clean_headers(std::string_view codec, const std::vector<Header>& headers);

}  // namespace sphere::privacy
