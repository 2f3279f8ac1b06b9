# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text that a terminal would obey, on the command line of `sphere`, in the names of files and in what
is kept: what is printed is UTF-8 without it. Prints a summary line as gst-check does."""

import json
import os
import pathlib
import subprocess
import tempfile
import unicodedata

from checks import DEADLINE, SPHERE, attempt, check, finish

# As hostile.h has them; without a zero, which no argument can have.
TEXTS = [b"\x1b[31mred", b"\x1b]0;title\x07", "\u009b2J".encode(), b"\xff\xfe", b"caf\xc3",
         b"\r\x08\x7f", "a\u202egpj.exe".encode(), "a\u200b\ufeff\u2066b".encode(),
         b"\xc0\x80\xed\xa0\x80"]
ALL = b"".join(TEXTS)


def odd_characters(output):
    """What a terminal would obey or not show; None where it is no UTF-8."""
    try:
        text = output.decode()
    except UnicodeDecodeError:
        return None
    return {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn")}


def sphere(home, *words):
    """Exit status, stdout and stderr as bytes, after checking both."""
    environment = {**os.environ, "XDG_DATA_HOME": str(home / "data"),
                   "XDG_CACHE_HOME": str(home / "cache")}
    result = subprocess.run([SPHERE.encode(), *words], env=environment, stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=DEADLINE, check=False)
    for name, output in (("stdout", result.stdout), ("stderr", result.stderr)):
        odd = odd_characters(output)
        check(f"{name} of {words}", odd == set(), f"{odd}: {output}")
    return result


def test_arguments(home, text):
    """Each word of the line that can be anything; the message quotes it escaped."""
    damaged = os.fsencode(home) + b"/" + text.replace(b"/", b"") + b".jpg"
    with open(damaged, "wb") as file:
        file.write(b"\xff\xd8" + text)
    good = os.fsencode(home) + b"/out.jpg"
    lines = [(text,), (b"help", text), (b"stitch", b"--" + text), (b"stitch", text, good),
             (b"stitch", damaged, good), (b"stitch", b"--lens", text, damaged, good),
             (b"stitch", b"--lens", damaged, damaged, good), (b"stitch", damaged, text + b"/x.jpg"),
             (b"consent", text), (b"consent", b"give", text), (b"consent", b"show", b"--ledger", text),
             (b"consent", b"erase", b"--store", text), (b"consent", b"notice", text),
             (b"doctor", text), (b"calibrate", text), (b"emulator", b"--fault", text),
             (b"emulator", b"--size", text)]
    quoted = 0
    for line in lines:
        result = sphere(home, *line)
        check(f"{line} is refused", result.returncode in (1, 2), result.returncode)
        quoted += b"\\x" in result.stderr or b"\\u{" in result.stderr
    check("it is shown escaped", quoted > len(lines) // 2, quoted)


def test_what_is_kept(home, text):
    """The name of a camera's Wi-Fi, which comes from the camera."""
    name = text.decode(errors="replace")
    cameras = home / "data/gst-sphere/cameras"
    cameras.mkdir(parents=True)
    (cameras / f"{'0' * 32}.json").write_text(json.dumps(
        {"model": "sv1", "serial": name, "firmware": name, "wifi": name, "table": ""}))
    (cameras / (name.replace("/", "") + ".json")).write_text("{}")
    held = sphere(home, b"consent", b"held")
    check("held", held.returncode == 0 and b"cameras" in held.stdout, held)
    for words in ((b"held", b"--json"), (b"export",)):
        printed = sphere(home, b"consent", *words)
        # A reader of the JSON gets the name as it is.
        check(f"{words} as JSON",
              json.dumps(name)[1:-1] in json.dumps(json.loads(printed.stdout)), printed.stdout)
    sphere(home, b"consent", b"sweep", b"--yes")
    sphere(home, b"consent", b"erase", b"--yes")


def test_each_text(home, _text):
    """Each text alone, in the message that quotes the most."""
    for text in TEXTS:
        result = sphere(home, b"stitch", b"--lens", text, b"in.jpg", b"out.jpg")
        check(f"{text} is shown escaped", b"\\x" in result.stderr or b"\\u{" in result.stderr)


def main():
    for test in (test_arguments, test_what_is_kept, test_each_text):
        with tempfile.TemporaryDirectory() as home:
            attempt(test, pathlib.Path(home), ALL)
    finish()


main()
