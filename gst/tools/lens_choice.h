// SPDX-License-Identifier: LGPL-2.1-or-later
// Which lenses `sphere stitch` takes where none were named: those that are found in the pictures,
// unless what the file says of its camera fits them better.

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gst/sphere/base/result.h"
#include "gst/sphere/lens/pair.h"

namespace sphere::tool {

struct LensChoice {
  std::string profile;   ///< the text of a profile; "": what the file says is to be taken, or else
                         ///< the default
  std::string what;      ///< for a person
  double agreement = 0;  ///< of what both lenses show at the seam, -1 to 1
  std::string warning;   ///< "": none
  bool found = false;    ///< the lenses were found in these pictures
};

/// What the file says of its lenses, as far as it does.
struct KnownLenses {
  std::optional<LensPair> table;  ///< the camera's own
  std::optional<LensPair> model;  ///< the profile of the camera's model
  std::string name;               ///< of that profile
  std::optional<LensPair> kept;   ///< found in an earlier file of this camera
  std::string kept_profile;       ///< its text
};

struct LensQuestion {
  std::string path;
  std::string right;  ///< the file of the lens that draws on the right; "": both are in `path`
  bool two_tracks = false;  ///< each lens has a video track of its own in `path`
  bool photo = true;        ///< the file is one
  bool search = false;      ///< look for lenses even where the file has a table
  bool fisheyes = false;    ///< the pictures show two fisheyes, whatever they look like
};

/// Looks at the pictures in the file. With a table of the camera's own and without `search`, only
/// whether it fits them; a table that does not is told of in `warning`. Pictures that show no two
/// fisheyes, or that can't be decoded, are left to those who refuse them. Refuses pictures in which
/// no lenses are found where nothing else is known that fits.
Result<LensChoice> choose_lens(const LensQuestion& question, const KnownLenses& known,
                               const std::function<bool(int done, int total)>& progress);

}  // namespace sphere::tool
