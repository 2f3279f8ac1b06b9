# SPDX-License-Identifier: LGPL-2.1-or-later
"""What shells complete for `sphere`. The words come from the commands' own help and lists, and bash
itself completes. Prints a summary line as gst-check does."""

import json
import os
import re
import shlex
import shutil
import tempfile

from checks import BUILD, SPHERE, attempt, check, finish, run

INSTALLED = BUILD / "gst" / "tools" / "completion"
FILES = {"bash": INSTALLED / "sphere", "zsh": INSTALLED / "_sphere", "fish": INSTALLED / "sphere.fish"}

# What bash sets for a completion function, with words parted as bash parts them.
HARNESS = r"""
source "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=() rest=$2
while [[ -n $rest ]]; do
  if [[ $rest =~ ^[[:space:]]+ ]]; then
    :
  elif [[ $rest =~ ^[:=@]+ || $rest =~ ^[^[:space:]:=@]+ ]]; then
    COMP_WORDS+=("${BASH_REMATCH[0]}")
  fi
  rest=${rest:${#BASH_REMATCH[0]}}
done
[[ $2 != *[[:space:]] ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_sphere
printf '%s\n' "${COMPREPLY[@]}"
"""


def completed(line, folder=None):
    """The words that bash offers at the end of this line."""
    result = run("bash", "--norc", "-c", HARNESS, "bash", FILES["bash"], line, cwd=folder)
    check(f"bash completes '{line}' without a word of its own",
          result.returncode == 0 and not result.stderr, result.stderr)
    return [word for word in result.stdout.split("\n") if word]


def help_of(*command):
    return run(SPHERE, *command, "--help").stdout


def commands():
    return re.findall(r"^  (\S+) +\S", run(SPHERE, "--help").stdout.split("Commands:")[1], re.M)


def test_commands():
    names = commands()
    check("there are many", len(names) > 20, names)
    check("all commands", sorted(completed("sphere ")) == sorted(names), completed("sphere "))
    check("those that begin so", completed("sphere ph") == ["photo"], completed("sphere ph"))
    check("of help, too", set(completed("sphere help ")) == set(names) - {"help"})


def test_options():
    """Each option of each command's help, and no other."""
    for command in commands():
        if command == "help":
            continue
        told = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", help_of(command), re.M))
        got = set(completed(f"sphere {command} --"))
        check(f"the options of {command}", got == told, got ^ told)
    check("an option with a beginning", completed("sphere photo --se") == ["--seconds"])
    check("after others", completed("sphere photo --kind burst --cou") == ["--count"])


def test_values():
    kinds = ["single", "timed", "interval", "burst", "bracketing", "one-lens"]
    check("kinds of photos", completed("sphere photo --kind ") == kinds)
    check("with =", completed("sphere photo --kind=b") == ["burst", "bracketing"])
    check("by the letter", completed("sphere photo -k one") == ["one-lens"])
    check("verbs", completed("sphere files ") == ["ls", "info", "get", "thumb", "rm", "format"])
    check("verbs after a URI", completed("sphere power madv://10.0.0.1:78/live st") == ["standby"])
    check("one verb only", completed("sphere power off ") == [])
    check("a free value", completed("sphere photo --seconds ") == [])
    check("shells", completed("sphere completion ") == ["bash", "zsh", "fish"])
    with tempfile.TemporaryDirectory() as folder:
        open(folder + "/room.jpg", "w", encoding="utf-8").close()
        check("files", completed("sphere stitch ro", folder) == ["room.jpg"])
        check("a file for an option", completed("sphere photo --output=ro", folder) == ["room.jpg"])
        check("files and a word", completed("sphere stitch --lens a", folder) == ["auto"])


def test_settings():
    """The names and the values of the camera's table."""
    table = json.loads(run(SPHERE, "set", "--list", "--json").stdout)["settings"]
    check("all settings", sorted(completed("sphere set ")) == sorted(one["name"] for one in table))
    for setting in table:
        words = [choice["words"] for choice in setting["choices"]]
        got = [shlex.split(word)[0] for word in completed(f"sphere set {setting['name']} ")]
        check(f"the values of {setting['name']}", got == list(dict.fromkeys(words)), got)
    # bash parts words at an @, and what it has parted stays.
    check("a value with an @", completed("sphere set video-resolution 2304x1152@") == ["30", "60"],
          completed("sphere set video-resolution 2304x1152@"))
    check("after a URI", "off" in completed("sphere set madv://10.0.0.1 led o"))


def test_scripts_are_installed():
    for shell, path in FILES.items():
        printed = run(SPHERE, "completion", shell)
        check(f"{shell}: what is installed is what the command prints",
              printed.returncode == 0 and path.read_text(encoding="utf-8") == printed.stdout)
        for name in ("video-resolution", "bracketing", "stitch", "--kind" if shell != "fish" else "-l kind"):
            check(f"{shell}: {name}", name in printed.stdout)
    wrong = run(SPHERE, "completion", "csh")
    check("another shell", wrong.returncode == 2 and "zsh" in wrong.stderr, wrong.stderr)


def test_syntax():
    check("bash reads its script", run("bash", "-n", FILES["bash"]).returncode == 0)
    for shell, words in (("zsh", ["-n"]), ("fish", ["--no-execute"])):
        if not shutil.which(shell):
            print(f"SKIP: {shell} is not here; its script was not read by it")
            continue
        read = run(shell, *words, FILES[shell], env={**os.environ, "HOME": "/nonexistent"})
        check(f"{shell} reads its script", read.returncode == 0, read.stderr)


def main():
    for test in (test_commands, test_options, test_values, test_settings,
                 test_scripts_are_installed, test_syntax):
        attempt(test)
    finish()


main()
