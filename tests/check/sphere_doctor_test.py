# SPDX-License-Identifier: LGPL-2.1-or-later
"""sphere doctor from outside. Prints a summary line as gst-check does."""

import json
import os
import pathlib
import subprocess
import tempfile

from checks import SPHERE, Terminal, check, finish, run


def sphere(folder, *words, **more):
    return run(SPHERE, *words, cwd=folder,
               env=dict(os.environ, XDG_DATA_HOME=str(folder / "data"), **more))


with tempfile.TemporaryDirectory(prefix="sphere-doctor-") as name:
    folder = pathlib.Path(name)
    result = sphere(folder, "doctor")
    check("all is well", result.returncode == 0, result.stdout)
    for topic in ("versions", "system", "stitching", "camera", "codecs", "graphics", "network"):
        check(f"{topic} is looked at", topic in result.stdout, result.stdout)
    said = json.loads(sphere(folder, "doctor", "--json").stdout)
    check("JSON", set(said) == {"ok", "fallback", "wrong"} and not said["wrong"], said)

    result = sphere(folder, "doctor", GST_PLUGIN_PATH="", GST_REGISTRY=str(folder / "registry"))
    check("without the plugins it is wrong", result.returncode == 1
          and "spherestitch" in result.stdout and "-> set GST_PLUGIN_PATH" in result.stdout,
          result.stdout)

    # A web proxy is reported, without its password; one that would be used for the camera is an error.
    proxy = {"http_proxy": "http://user:secret@127.0.0.1:9", "GIO_USE_PROXY_RESOLVER": ""}
    result = sphere(folder, "doctor", **proxy)
    check("a proxy is told", result.returncode == 0 and "proxy" in result.stdout
          and "http_proxy" in result.stdout and "does not use it" in result.stdout
          and "secret" not in result.stdout, result.stdout)
    result = sphere(folder, "doctor", **dict(proxy, GIO_USE_PROXY_RESOLVER="libproxy"))
    check("a proxy that would be used is wrong", result.returncode == 1
          and "-> set the environment variable no_proxy=" in result.stdout
          or "proxy     " not in result.stdout, result.stdout)

    report = folder / "report.txt"
    result = sphere(folder, "doctor", "--report", report)
    check("a report is not written unasked", result.returncode == 2 and not report.exists(),
          result.stderr)
    result = sphere(folder, "doctor", "--report", report, "--yes")
    text = report.read_text(encoding="utf-8")
    check("what is shown is what is written", result.returncode == 0 and result.stdout == text,
          result.stdout)
    check("the machine is left out", "processors," not in text.split("\n\n", 2)[2]
          and "graphics" not in text.split("\n\n", 2)[2] and "Not included" in text, text)
    result = sphere(folder, "consent", "give", "environment", "--purpose", "repair")
    check("it is given", result.returncode == 0, result.stderr)
    sphere(folder, "doctor", "--report", report, "--yes")
    text = report.read_text(encoding="utf-8")
    check("the machine is in it", "graphics" in text and "system" in text
          and "Not included" not in text, text)
    result = sphere(folder, "doctor", "--report", report, "--yes", "--no-clobber")
    check("a file is not replaced", result.returncode == 1 and report.read_text() == text,
          result.stderr)
    for answer, written in (("n\n", False), ("y\n", True)):
        asked = folder / "asked.txt"
        person = Terminal("doctor", "--report", asked, stdout=subprocess.PIPE,
                          env=dict(os.environ, XDG_DATA_HOME=str(folder / "data")))
        person.answer("Write this? [y/N]", answer)
        shown = person.process.stdout.read().decode()
        status = person.finish()
        check(f"asked, and answered {answer}",
              asked.exists() == written and (status == 0) == written, person.text)
    check("it was shown first", asked.read_text(encoding="utf-8") == shown, shown)

    # A ledger with a withdrawal that was cut off.
    ledger = folder / "data/gst-sphere/consent.jsonl"
    whole = ledger.read_bytes()
    ledger.write_bytes(whole + b'{"act":"withdraw"')
    result = sphere(folder, "doctor")
    check("a torn withdrawal is told", result.returncode == 1 and "cut off" in result.stdout,
          result.stdout)
    ledger.write_bytes(whole)
    for words, word in ((("--report", "x", "--json"), "--json"), (("more",), "'more'"),
                        (("--reports",), "--report")):
        result = sphere(folder, "doctor", *words)
        check(f"{words} is refused", result.returncode == 2 and word in result.stderr,
              result.stderr)

finish()
