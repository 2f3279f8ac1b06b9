# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing about a camera's owner in logs, dot files and JSON, whatever is done with the camera.
Prints a summary line as gst-check does."""

import contextlib
import os
import pathlib
import re
import tempfile

from checks import SANITIZED, SPHERE, attempt, check, emulator, finish, launch_ours, run

# What the emulated camera has, and what the test tells it.
SECRETS = {
    "the password": "12345678",
    "the new password": "8265310947",
    "the serial number": "MJXJ00000000EMUL",
    "the latitude": "48.2081",
    "the longitude": "16.3712",
}
NETWORK = {"the name of the network": "MJXJ-emulator"}
TOKEN = re.compile(r"""token["']?\s*[:=]\s*["']?\d""")
# A log is full of times and addresses of memory. Some have a secret's digits in them by chance.
NOISE = re.compile(r"\b\d+:\d\d:\d\d\.\d{9}\b|\b0x[0-9a-fA-F]+\b")


@contextlib.contextmanager
def camera():
    with emulator() as (_, facts):
        yield facts["uri"]


class Log:
    """What one command leaves behind, with all logs on."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.dots = self.home / "dots"
        self.file = self.home / "log"
        self.dots.mkdir()
        self.env = {**os.environ, "XDG_DATA_HOME": home + "/data", "XDG_CACHE_HOME": home + "/cache",
                    "GST_DEBUG": "*:9", "GST_DEBUG_NO_COLOR": "1", "GST_DEBUG_FILE": str(self.file),
                    "GST_DEBUG_DUMP_DOT_DIR": str(self.dots), "G_MESSAGES_DEBUG": "all"}

    def text(self):
        texts = [self.file.read_text(errors="replace") if self.file.exists() else ""]
        texts += [path.read_text(errors="replace") for path in self.dots.iterdir()]
        return "\n".join(texts)

    def clear(self):
        self.file.unlink(missing_ok=True)
        for path in self.dots.iterdir():
            path.unlink()


def find(secret, text):
    """The first line that tells a secret, without its noise. A secret does not begin within a number.
    A password does not end within one either, but a position may have more digits."""
    end = "" if "." in secret else r"(?!\d)"
    alone = re.compile(r"(?<!\d)(?<!\d\.)" + re.escape(secret) + end)
    for line in text.splitlines():
        if secret in line and alone.search(NOISE.sub("-", line)):
            return line
    return None


def search(what, text, secrets):
    for name, secret in secrets.items():
        line = find(secret, text)
        check(f"{what}: without {name}", line is None, line)
    token = TOKEN.search(text)
    check(f"{what}: without a token", not token, token and text[token.start() - 60:token.end()])


def test_search():
    """What a log has by chance is no secret, and a secret is one wherever it stands."""
    for chance in ("0:00:00.312345678 4242 0x7f8212345678 LOG", "time 0:00:48.208112345,",
                   "latency 112345678 ns", "0.12345678", "116.3712", "clock 1234567890"):
        found = [name for name, secret in SECRETS.items() if find(secret, chance)]
        check(f"'{chance}' tells nothing", not found, found)
    before = "0:00:00.112345678 1 0x5 12345678901\n"
    for name, secret in (SECRETS | NETWORK).items():
        for line in (f'"x":"{secret}"', f"x={secret}&y", f"x:{secret}", f"({secret})",
                     f"(string){secret}", f"-{secret}", f"0:00:00.000000001 1 0x5 {secret}"):
            check(f"{name} in '{line}'", find(secret, before + line + "\n" + before))
    check("a position with more digits", find(SECRETS["the latitude"], "48.20817"))


def commands(uri, folder):
    """Each command that talks to a camera, with what it may print by itself."""
    password = folder + "/password"
    with open(password, "w", encoding="utf-8") as file:
        file.write(SECRETS["the new password"] + "\n")
    yield ["cameras", uri], {}
    yield ["info", uri], {}
    yield ["set", uri, "beep", "2"], {}
    yield ["set", uri, "beep"], {}
    yield ["clock", uri], {}
    yield ["gps", uri, "48.20817,16.37127,171"], {}
    yield ["photo", uri, "-o", folder + "/photo.jpg"], {}
    yield ["record", uri, "--duration", "1"], {}
    yield ["files", uri, "ls"], {}
    yield ["files", uri, "get", "--all", "--transport", "data", "-o", folder], {}
    yield ["files", uri, "get", "--all", "--transport", "web", "-o", folder], {}
    yield ["files", uri, "rm", "--all", "--yes"], {}
    yield ["power", uri, "wake"], {}
    # The name of the network is what is asked for.
    yield ["wifi", uri], NETWORK
    yield ["wifi", uri, "--password-file", password, "--yes"], NETWORK


def test_commands():
    with camera() as uri, tempfile.TemporaryDirectory() as home:
        log = Log(home)
        run(SPHERE, "consent", "give", "location", "--purpose", "camera", env=log.env)
        run(SPHERE, "consent", "give", "audio", "--purpose", "record", env=log.env)
        log.clear()
        for words, shown in commands(uri, home):
            what = " ".join([words[0], *words[2:]][:3])
            done = run(SPHERE, *words, "--json", env=log.env)
            check(f"{what} works", done.returncode == 0, done.stderr[-300:])
            search(f"what {what} prints", done.stdout + done.stderr, SECRETS | {
                name: secret for name, secret in NETWORK.items() if name not in shown})
            search(f"the log of {what}", log.text(), SECRETS | NETWORK)
            log.clear()


def test_preview():
    with camera() as uri, tempfile.TemporaryDirectory() as home:
        log = Log(home)
        for category in ("device", "network"):
            run(SPHERE, "consent", "give", category, "--purpose", "bind", env=log.env)
        log.clear()
        launch_ours(f"spherecamsrc location={uri} ledger=default ! identity eos-after=3 ! fakesink",
                    env=log.env)
        text = log.text()
        check("there is a log, and dot files", len(text) > 100000 and "digraph" in text)
        search("the log of the preview", text, SECRETS | NETWORK)


def main():
    attempt(test_search)
    attempt(test_commands)
    if not SANITIZED:
        attempt(test_preview)
    finish()


main()
