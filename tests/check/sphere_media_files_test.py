# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who can read what `sphere redact`, `geotag`, `mark`, `trim`, `stitch` and `reframe` write, and what becomes
of symbolic links.
"""

import json
import os
import shutil
import stat
import struct
import tempfile

from checks import SPHERE, attempt, check, finish, run
from media_checks import Case, ffmpeg

GIVEN = "consent/location, state=(string)given, purpose=(string)geotag"
ANOTHER_GROUP = 12345  # of no user


def make_photo(path, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x160:d=1", "-frames:v", "1", path)
    path.chmod(mode)


def make_video(path, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x160:d=1:r=10", "-c:v", "libx264", "-bf", "0", "-g", "5",
           "-metadata", "title=CANARY_TITLE", path)
    path.chmod(mode)


def mode_of(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_permissions(case):
    """What is made of a private file is private."""
    photo, video, out = case.path("in.jpg"), case.path("in.mp4"), case.path("out")
    make_photo(photo)
    make_video(video)
    old = os.umask(0o022)
    try:
        for words in (("redact", photo), ("mark", photo), ("trim", video, "--to", "0.5"),
                      ("geotag", photo, "--position", "1,2", "--consent", GIVEN)):
            command, source, *options = words
            result = case.path("out" + source.suffix)
            for before, older, after in ((0o600, None, 0o600), (0o640, None, 0o640), (0o644, None, 0o644),
                                         (0o666, None, 0o644), (0o444, None, 0o644), (0o600, 0o644, 0o600),
                                         (0o644, 0o600, 0o600), (0o640, 0o666, 0o640)):
                source.chmod(before)
                result.unlink(missing_ok=True)
                if older is not None:
                    result.write_bytes(b"older")
                    result.chmod(older)
                case.done(f"{command} of a file with {before:o}", command, source, result, *options)
                check(f"{command}: OUT of {before:o}{f' in place of {older:o}' if older else ''}",
                      mode_of(result) == oct(after), mode_of(result))
        photo.chmod(0o600)
        case.path("link.jpg").symlink_to(photo)
        case.done("a link to a private file", "redact", case.path("link.jpg"), out)
        check("what it leads to counts", mode_of(out) == "0o600", mode_of(out))
        video.chmod(0o600)
        views = ("--lens", "dual-190", "--stitcher", "cpu", "--force", "--quiet")
        for words in (("stitch", photo, case.path("stitched.jpg"), *views),
                      ("stitch", video, case.path("stitched.mp4"), *views),
                      ("reframe", case.path("stitched.jpg"), case.path("view.jpg"), "--quiet"),
                      ("reframe", case.path("stitched.mp4"), case.path("view.mp4"), "--quiet")):
            case.done(f"{words[0]} of a private file", *words)
            check(f"{words[2].name} is private", mode_of(words[2]) == "0o600", mode_of(words[2]))
    finally:
        os.umask(old)


def test_groups(case):
    """A group that could not read IN can't read OUT."""
    photo, out = case.path("in.jpg"), case.path("out.jpg")
    make_photo(photo)
    group = photo.stat().st_gid
    try:
        os.chown(photo, -1, ANOTHER_GROUP)
    except PermissionError:
        print("skipped: a file of another group, which needs root")
    else:
        for before, after in ((0o640, "0o600"), (0o644, "0o644"), (0o604, "0o600")):
            photo.chmod(before)
            out.unlink(missing_ok=True)
            case.done("a file of another group", "redact", photo, out)
            check(f"OUT of {before:o}", mode_of(out) == after, mode_of(out))
        os.chown(photo, -1, group)
    # An access list: the owner, user 12345, the group, the mask, the others.
    entries = ((1, 6, -1), (2, 4, 12345), (4, 0, -1), (0x10, 4, -1), (0x20, 0, -1))
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    try:
        os.setxattr(photo, "system.posix_acl_access", value)
    except OSError:
        print("skipped: a file with an access list, which this file system doesn't have")
        return
    check("the group seems to have permissions", mode_of(photo) == "0o640", mode_of(photo))
    out.unlink(missing_ok=True)
    case.done("a file with an access list", "redact", photo, out)
    check("OUT is for its owner", mode_of(out) == "0o600", mode_of(out))


def test_folders(case):
    """A private folder hides files that others could read."""
    for name, mode in (("in/a.jpg", 0o644), ("in/b/c.jpg", 0o644), ("in/b/d/e.jpg", 0o600)):
        make_photo(case.path(name), mode)
    case.path("in/b").chmod(0o750)
    case.path("in").chmod(0o700)
    case.done("a private folder", "redact", case.path("in"), case.path("new/out"), "--threads", "4")
    found = {name: mode_of(case.path("new") / name) for name in (
        "out", "out/a.jpg", "out/b", "out/b/c.jpg", "out/b/d", "out/b/d/e.jpg")}
    check("is one again, and so are those in it", found == {
        "out": "0o700", "out/a.jpg": "0o644", "out/b": "0o750", "out/b/c.jpg": "0o644", "out/b/d": "0o755",
        "out/b/d/e.jpg": "0o600"}, found)
    check("a folder above OUT is as usual", mode_of(case.path("new")) == "0o755", mode_of(case.path("new")))
    case.path("shared").mkdir(mode=0o755)
    case.done("into a folder that is there", "redact", case.path("in"), case.path("shared"))
    check("which stays as it is", mode_of(case.path("shared")) == "0o755" and
          mode_of(case.path("shared/b")) == "0o750", mode_of(case.path("shared/b")))


def test_links_in_a_copy(case):
    """A link in IN is a file of IN, and never says where its OUT is."""
    make_photo(case.path("one/in/a.jpg"))
    make_photo(case.path("elsewhere.jpg"))
    make_photo(case.path("one/beside.jpg"))
    case.path("one/in/b.jpg").symlink_to("a.jpg")
    case.path("one/in/c.jpg").symlink_to("../beside.jpg")
    case.path("one/in/d.jpg").symlink_to(case.path("elsewhere.jpg"))
    case.path("two").mkdir()
    case.path("two/beside.jpg").write_bytes(b"older")
    case.done("a folder with links", "redact", case.path("one/in"), case.path("two/out"))
    found = sorted(str(path.relative_to(case.path("two"))) for path in case.path("two").rglob("*"))
    check("all of OUT is in OUT", found == ["beside.jpg", "out", "out/a.jpg", "out/b.jpg", "out/c.jpg", "out/d.jpg"],
          found)
    check("what is beside it is as it was", case.path("two/beside.jpg").read_bytes() == b"older")


def test_links_in_place(case):
    """Nothing outside of what was named is changed."""
    folder, outside = case.path("in"), case.path("outside.mp4")
    make_video(folder / "a.mp4")
    for copy in (outside, case.path("also.mp4"), case.path("elsewhere/b.mp4"), case.path("inbetween/c.mp4")):
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(folder / "a.mp4", copy)
    before = outside.read_bytes()
    for name, target in (("same.mp4", "a.mp4"), ("out.mp4", "../outside.mp4"), ("far", case.path("elsewhere")),
                         ("beside.mp4", "../inbetween/c.mp4"), ("nowhere.mp4", "nowhere"), (".hidden.mp4", outside)):
        (folder / name).symlink_to(target)
    os.link(folder / "a.mp4", folder / "again.mp4")
    result = case.sphere("redact", "--in-place", "--json", "--threads", "4", folder)
    report = json.loads(result.stdout)
    check("it is done", result.returncode == 0, result.stderr)
    check("one file was worked on", [file["input"] for file in report["files"]] == [str(folder / "a.mp4")], report)
    check("it is changed", b"CANARY" not in (folder / "a.mp4").read_bytes())
    check("the others are not", all(path.read_bytes() == before for path in (
        outside, case.path("elsewhere/b.mp4"), case.path("inbetween/c.mp4"))))
    told = sorted(line.split(": ")[0].removeprefix(str(folder) + "/") for line in report["warnings"])
    check("each link that leads out is told, once", told == ["beside.mp4", "far", "out.mp4"] and
          result.stderr.count("leads out") == 3, result)
    case.done("a link that is named", "redact", "--in-place", folder / "out.mp4")
    check("is followed", b"CANARY" not in outside.read_bytes())
    case.path("link").symlink_to(case.path("elsewhere"))
    case.done("so is one to a folder", "redact", "--in-place", case.path("link"))
    check("what is in it is changed", b"CANARY" not in case.path("elsewhere/b.mp4").read_bytes())
    said = case.done("a file named twice", "redact", "--in-place", case.path("also.mp4"), case.path("also.mp4"))
    check("is worked on once", said.count("took out") == 1, said)
    result = run(SPHERE, "inspect", "--json", folder, env=case.environment)
    names = [os.path.basename(file["file"]) for file in json.loads(result.stdout)["files"]]
    check("inspect follows links", names == ["a.mp4", "again.mp4", "beside.mp4", "out.mp4", "same.mp4"], names)


for test in (test_permissions, test_groups, test_folders, test_links_in_a_copy, test_links_in_place):
    with tempfile.TemporaryDirectory() as temporary:
        attempt(test, Case(temporary))
finish()
