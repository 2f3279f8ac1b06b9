# SPDX-License-Identifier: LGPL-2.1-or-later
"""`sphere live --to web:PORT` in a browser: it plays, has sound only with consent, and falls silent
when the consent is taken back. Prints a summary line as gst-check does.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import time

from browser import Browser, program
from checks import SPHERE, attempt, check, finish, run

PLAYING = "document.body.dataset.state === 'playing'"
# How loud it is now, of what the browser decodes.
LISTEN = """(async () => {
  const context = new AudioContext();
  await context.resume();
  const source = context.createMediaStreamSource(document.getElementById('video').srcObject);
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  window.loudness = () => {
    analyser.getFloatTimeDomainData(samples);
    return Math.max(...samples.map(Math.abs));
  };
})()"""
# Resolves with the time, in milliseconds since 1970, from which on it is silent.
SILENCE = """new Promise(done => {
  let since = null;
  const look = () => {
    const now = performance.timeOrigin + performance.now();
    if (window.loudness() > 0.001) since = null;
    else since ??= now;
    if (since !== null && now - since > 300) done(since);
    else setTimeout(look, 5);
  };
  look();
})"""


@contextlib.contextmanager
def streaming(*words, env=None):
    """`sphere live` with a page: its process, and the link."""
    with subprocess.Popen([SPHERE, "live", "test:", "--to", "web:0", "--size", "640x320", "--json",
                           *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=env) as process:
        try:
            links = []
            while not links:
                links = json.loads(process.stdout.readline())["outputs"][0]["links"]
            yield links[0]
        finally:
            process.terminate()
            process.stdout.read()


def test_without_consent():
    with streaming() as link, Browser() as browser:
        browser.open(link)
        check("it plays", browser.until(PLAYING))
        check("sound is marked absent", browser.until(
            "!document.getElementById('absent').hidden && "
            "document.getElementById('sound').ariaDisabled === 'true'"))
        check("and there is none", browser.run(
            "document.getElementById('video').srcObject.getAudioTracks().length") == 0)
        check("no problem in the page", not browser.problems(), browser.problems())


def test_withdrawal():
    with tempfile.TemporaryDirectory(prefix="sphere-web-live-") as folder:
        env = os.environ | {"XDG_DATA_HOME": folder}
        given = run(SPHERE, "consent", "give", "audio", "--purpose", "live", env=env)
        check("consent is given", given.returncode == 0, given.stderr)
        with streaming(env=env) as link, Browser() as browser:
            browser.open(link)
            check("it plays", browser.until(PLAYING))
            check("there is sound", browser.until("document.getElementById('absent').hidden"))
            browser.run("document.getElementById('sound').click()")
            browser.run(LISTEN)
            check("it is heard", browser.until("window.loudness() > 0.01"))
            taken = run(SPHERE, "consent", "withdraw", "audio", env=env)
            after = time.time() * 1000
            check("consent is taken back", taken.returncode == 0, taken.stderr)
            silent = browser.run(SILENCE)
            print(f"silent {silent - after:.0f} ms after the withdrawal")
            # The gate is silent with the next buffer; the rest is the browser's buffer, and a busy
            # machine.
            check("then it is silent", silent - after < 1000, silent - after)


def test_end():
    """A stream that ends is no lost connection: nobody has to wait for it."""
    with Browser() as browser:
        with streaming() as link:
            browser.open(link)
            check("it plays", browser.until(PLAYING))
        check("the page says that it has ended", browser.until("document.body.dataset.state === 'ended'"),
              browser.run("document.body.dataset.state"))


def main():
    program()
    for test in (test_without_consent, test_withdrawal, test_end):
        attempt(test)
    finish()


main()
