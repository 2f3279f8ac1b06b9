# SPDX-License-Identifier: LGPL-2.1-or-later
"""What may include what, how long a file and how large a class may be, who may know a camera's
maker, and where licences stand: read from the source files, nothing is built. Prints a summary line
as gst-check does.
"""

import os
import pathlib
import re
import tempfile

from checks import check, finish

ROOT = pathlib.Path(os.environ["SPHERE_SOURCE"])
CODE = ("gst", "hw", "plugins")
MAX_LINES = 800
SOURCES = {".cc", ".h", ".inc", ".c", ".py", ".frag", ".vert", ".glsl", ".build"}

CORE = "gst/sphere/"
CONSENT = {"base", "consent"}
LENS = {"base", "geometry", "lens"}
WARP = {"base", "geometry", "gl", "warp"}
# The folders of gst/sphere: what each may include, itself too.
CORE_ARROWS = {
    "base": {"base"},
    "geometry": {"base", "geometry"},
    "lens": LENS,
    "gl": {"base", "gl"},
    "warp": WARP,
    "stitch": LENS | WARP | {"stitch"},
    "media": {"base", "media"},
    "orientation": {"base", "geometry", "orientation"},
    "makers": LENS | {"media", "orientation", "makers"},
    "consent": CONSENT,
    "storage": CONSENT | {"storage"},
    "scene": LENS | {"scene"},
    "view": {"base", "geometry", "media", "view"},
    "vision": {"base", "geometry", "vision"},
}
# gst/sphere itself: the one header of the C API.
CORE_FOLDERS = {CORE + folder for folder in CORE_ARROWS} | {"gst/sphere"}

# `)` before the text: a call. error() and front() return what stays.
KEPT_POINTER = re.compile(r"(?:ck_assert_str_\w+|fail_unless_equals_string)\([^;]*?"
                          r"(?<!error\()(?<!front\()\)(?:\.\w+)?\.c_str\(\)[^;]*;")


def allowed(folder):
    """The folders whose headers a file in this one may include; None if the house has no such
    folder."""
    if folder == "gst/sphere":
        return CORE_FOLDERS
    if folder.startswith(CORE):
        row = CORE_ARROWS.get(folder.removeprefix(CORE))
        return row and {CORE + name for name in row}
    if folder in ("gst/live", "gst/live/web"):
        return CORE_FOLDERS | {"gst/live", folder}
    if folder == "gst/tools":
        return CORE_FOLDERS | {"gst/tools", "gst/live", "gst/live/web", "hw", "hw/emulator"}
    match folder.split("/"):
        case ["plugins", name]:
            return CORE_FOLDERS | {folder, "hw"} | ({"gst/live"} if name == "live" else set())
        case ["hw"]:
            return CORE_FOLDERS | {"hw"}
        case ["hw", "emulator"]:
            return CORE_FOLDERS | {"hw", "hw/emulator"}
        case ["hw", family]:
            return CORE_FOLDERS | {"hw", "hw/" + family}
        case ["hw", family, "emulator"]:
            return CORE_FOLDERS | {"hw", "hw/emulator", "hw/" + family, folder}
    return None


INCLUDE = re.compile(r'^\s*#\s*include\s*["<]((?:gst|hw|plugins|tests)/[^">]+)[">]', re.MULTILINE)
# A URI of the family's, which stands in defaults and in documentation, is no knowledge of it. Nor
# is the name of a lens profile in an example.
MAKER = re.compile(r"madv(?!://[\w$])|insta360|gopro|samsung|ricoh|garmin|kandao|qoocam",
                   re.IGNORECASE)
MAX_MEMBERS = 20
CLASS = re.compile(r"^[ \t]*(?:class|struct)\s+([\w:]+)(?:\s+final)?(?:\s*:\s*[^;{(]*)?\s*\{",
                   re.MULTILINE)
NO_MEMBER = re.compile(r"(?:using|friend|typedef|static|enum|class|struct|union|template)\b")
LICENCE = "SPDX-License-" "Identifier: LGPL-2.1-or-later"
LICENCE_AND_MORE = re.compile(r"SPDX-License-" r"Identifier: *\S+ +(?!\*/)\S")
WITHOUT_MAKER = ("plugins/", "gst/tools/", "gst/sphere/stitch/")


def files_of(tree, folders):
    """All source files of these folders, with their paths below the tree."""
    for folder in folders:
        for path in sorted((tree / folder).rglob("*")):
            if path.is_file() and path.suffix in SOURCES:
                yield path.relative_to(tree).as_posix(), path.read_text(encoding="utf-8")


def wrong_arrows(tree):
    """Includes that go where they may not, and folders that the table does not have."""
    # What is no folder of ours (gst/video of GStreamer) is not judged.
    ours = {pathlib.PurePath(name).parent.as_posix()
            for name, _ in files_of(tree, CODE + ("tests",))}
    wrong = []
    for name, text in files_of(tree, CODE):
        if name.endswith(".build"):
            continue
        row = allowed(pathlib.PurePath(name).parent.as_posix())
        if row is None:
            wrong.append(f"{name}: this folder has no row in the table")
            continue
        for included in INCLUDE.findall(text):
            folder = pathlib.PurePath(included).parent.as_posix()
            if folder in ours and folder not in row:
                wrong.append(f"{name} includes {included}")
    return wrong


def long_files(tree):
    """Source files with more lines than one person reads at a time."""
    return [f"{name}: {text.count(chr(10))} lines"
            for name, text in files_of(tree, CODE + ("shaders", "tests", "docs"))
            if text.count("\n") > MAX_LINES]


def bare(text):
    """The text without comments and without what stands in quotes; lines stay lines."""
    text = re.sub(r'R"\((.*?)\)"', lambda m: '""' + "\n" * m.group(1).count("\n"), text,
                  flags=re.DOTALL)
    text = re.sub(r"""("(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])+')""", '""', text)
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", text)


def statements(text, at):
    """What ends with a semicolon directly in the braces that were opened before `at`, without the
    content of braces in it; bodies of functions are left out."""
    found, statement, depth = [], "", 1
    while depth and at < len(text):
        letter = text[at]
        at += 1
        if letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
            # After the body of a function there is no semicolon.
            rest = text[at:at + 80].lstrip()
            if depth == 1 and "(" in statement and not rest.startswith((";", ",", ")")):
                statement = ""
        elif depth > 1:
            continue
        elif letter == ";":
            found.append(re.sub(r"\b(?:public|private|protected)\s*:", "", statement).strip())
            statement = ""
        else:
            statement += letter
    return found


def members(statement):
    """How many data members a statement of a class declares."""
    if not statement or NO_MEMBER.match(statement):
        return 0
    if "(*" in statement:
        return 1
    plain = re.sub(r"SPHERE_\w+\([^)]*\)|\s=\s[^,]*", "", statement)
    while plain != (plain := re.sub(r"<[^<>]*>", "", plain)):
        pass
    return 0 if "(" in plain else plain.count(",") + 1


def large_classes(tree):
    """Classes with many data members, and no word beside them why."""
    found = []
    for name, text in files_of(tree, CODE + ("tests",)):
        if not name.endswith((".cc", ".h")):
            continue
        plain = bare(text)
        for match in CLASS.finditer(plain):
            count = sum(members(one) for one in statements(plain, match.end()))
            line = plain.count("\n", 0, match.start(1))
            beside = " ".join(part.strip(" /") for part in text.splitlines()[max(0, line - 8):line])
            if count > MAX_MEMBERS and "wenty members" not in beside:
                found.append(f"{name}:{line + 1}: {match.group(1)} has {count} members")
    return found


def maker_named(tree):
    """Places that name the maker's family where all cameras are to be the same."""
    return [f"{name}:{number}: {line.strip()}"
            for name, text in files_of(tree, CODE) if name.startswith(WITHOUT_MAKER)
            for number, line in enumerate(text.splitlines(), 1) if MAKER.search(line)]


def unclear_licences(tree):
    """Lines with a licence and other words: programs that read licences can't read these."""
    return [f"{name}:{number}: {line}"
            for name, text in files_of(tree, CODE + ("shaders", "tests"))
            for number, line in enumerate(text.splitlines(), 1) if LICENCE_AND_MORE.search(line)]


def texts_that_are_gone(tree):
    """Comparisons of check that keep a pointer into a text which a call has returned: it is freed
    before they read it."""
    return [f"{name}: {found.group(0)}" for name, text in files_of(tree, ("tests",))
            if name.endswith((".cc", ".h")) for found in KEPT_POINTER.finditer(text)]


RULES = {wrong_arrows: "includes go one way", long_files: "no file is too long",
         large_classes: "no class has too many members",
         maker_named: "no maker is known here", unclear_licences: "licences have lines of their own",
         texts_that_are_gone: "no test compares what is gone"}

# Twenty members, and much that is none.
MANY = "".join(f"""  void put_{i}(int a, int b) {{
    int inside = {{}}; (void)inside;
  }}
  using Names_{i} = std::map<int, int>;
  std::map<int, std::pair<int, int>> a_{i}_ SPHERE_GUARDED_BY(mutex_), b_{i}_ = {{}};  // ; int c_;
""" for i in range(MAX_MEMBERS // 2))

# Each breaks one rule: (rule, file, its text).
BROKEN = (
    (wrong_arrows, "gst/sphere/warp/a.cc", '#include "gst/sphere/lens/pair.h"\n'),
    (wrong_arrows, "gst/sphere/lens/a.h", "#  include <gst/sphere/media/picture_kind.h>\n"),
    (wrong_arrows, "gst/sphere/base/a.h", '#include "gst/sphere/geometry/vec.h"\n'),
    (wrong_arrows, "gst/sphere/makers/a.cc", '#include "hw/camera.h"\n'),
    (wrong_arrows, "gst/sphere/consent/a.cc", '#include "gst/sphere/storage/stores.h"\n'),
    (wrong_arrows, "plugins/camera/a.cc", '#include "hw/osc/session.h"\n'),
    (wrong_arrows, "plugins/camera/a.cc", '#include "plugins/stitch/stitching.h"\n'),
    (wrong_arrows, "plugins/camera/a.cc", '#include "gst/live/output.h"\n'),
    (wrong_arrows, "gst/live/a.cc", '#include "hw/camera.h"\n'),
    (wrong_arrows, "gst/live/a.cc", '#include "gst/tools/command.h"\n'),
    (wrong_arrows, "gst/sphere/base/a.cc", '#include "gst/live/output.h"\n'),
    (wrong_arrows, "gst/tools/a.cc", '#include "hw/osc/session.h"\n'),
    (wrong_arrows, "gst/tools/a.cc", '#include "plugins/stitch/stitching.h"\n'),
    (wrong_arrows, "hw/a.cc", '#include "hw/madv/uri.h"\n'),
    (wrong_arrows, "hw/osc/a.cc", '#include "hw/madv/uri.h"\n'),
    (wrong_arrows, "hw/madv/a.cc", '#include "hw/emulator/card.h"\n'),
    (wrong_arrows, "hw/emulator/a.cc", '#include "hw/madv/uri.h"\n'),
    (wrong_arrows, "hw/madv/a.cc", '#include "tests/check/pipeline.h"\n'),
    (wrong_arrows, "gst/sphere/attic/a.cc", "\n"),
    (long_files, "plugins/view/a.cc", "\n" * (MAX_LINES + 1)),
    (long_files, "tests/check/a_test.py", "\n" * (MAX_LINES + 1)),
    (maker_named, "plugins/camera/a.cc", "// As Madv cameras do.\n"),
    (maker_named, "gst/tools/a.cc", 'if (uri.starts_with("madv://")) return;\n'),
    (maker_named, "gst/sphere/stitch/a.cc", "madv::Box box;\n"),
    (maker_named, "gst/tools/a.cc", '#include "gst/sphere/makers/insta360.h"\n'),
    (large_classes, "gst/sphere/base/a.h", "class A {\n" + MANY + "  int more_;\n};\n"),
    (large_classes, "hw/a.h",
     "struct A final : B {\n" + MANY + "  void (*more)(int) = nullptr;\n};\n"),
    (unclear_licences, "gst/sphere/base/a.h", f"// {LICENCE} Reads bytes.\n"),
    (texts_that_are_gone, "tests/check/a.cc", "ck_assert_str_eq(status().message.c_str(), name.c_str());\n"),
    (texts_that_are_gone, "tests/check/a.cc", "fail_unless_equals_string(text,\n    name_of(a).c_str());\n"),
)
# Breaks none.
SOUND = {
    "plugins/camera/a.cc": '#include "hw/camera.h"\n#include <gst/video/video.h>\n// madv://HOST\n',
    "gst/sphere/stitch/b.cc": '#include "gst/sphere/warp/source.h"\n'
                              '#include "gst/sphere/lens/pair.h"\n',
    "gst/sphere/makers/b.cc": '#include "gst/sphere/media/picture_kind.h"\n' + "\n" * (MAX_LINES - 1),
    "gst/tools/b.cc": '#include "hw/emulator/card.h"\n#include "gst/sphere/makers/capture.h"\n',
    "hw/emulator/card.h": '#include "gst/sphere/base/result.h"\n',
    "gst/live/output.h": '#include "gst/sphere/base/result.h"\n',
    "gst/live/web/a.cc": '#include "gst/live/output.h"\n',
    "plugins/live/a.cc": '#include "gst/live/output.h"\n',
    "gst/tools/command.h": '#include "gst/live/output.h"\n',
    "hw/madv/emulator/b.cc": '#include "hw/madv/uri.h"\n#include "hw/emulator/card.h"\n',
    "hw/madv/uri.h": f"// {LICENCE}\n// Reads a URI.\n/* {LICENCE} */\n", "hw/osc/session.h": "", "hw/camera.h": "",
    "gst/sphere/warp/source.h": "", "gst/sphere/lens/pair.h": "", "gst/sphere/media/picture_kind.h": "",
    "gst/sphere/geometry/vec.h": "", "gst/sphere/base/result.h": "",
    "gst/sphere/base/b.h": "class A {\n" + MANY + "};\n\n/// More than twenty members, because.\n"
                           "class B {\n" + MANY + "  int more_;\n};\n",
    "gst/sphere/storage/stores.h": "", "plugins/stitch/stitching.h": "",
    "tests/check/pipeline.h": "",
    "tests/check/b.cc": "ck_assert_str_eq(a.error().message.c_str(), names.front().c_str());\n",
}


def test_the_rules():
    """Each rule finds what breaks it, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)

        def write(name, text):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text, encoding="utf-8")

        for name, text in SOUND.items():
            write(name, text)
        for rule, what in RULES.items():
            check(f"{what}: a sound tree", not rule(tree), rule(tree))
        for broken, name, text in BROKEN:
            before = SOUND.get(name)
            write(name, text)
            for rule, what in RULES.items():
                found = rule(tree)
                check(f"{what}: {name} with {text[:60]!r}", len(found) == (rule is broken), found)
            if before is None:
                (tree / name).unlink()
            else:
                write(name, before)


def main():
    read = sum(1 for _ in files_of(ROOT, CODE))
    check("the tree is read", read > 200, read)
    for rule, what in RULES.items():
        found = rule(ROOT)
        check(what, not found, "\n  ".join(["", *found]))
    test_the_rules()
    finish()


main()
