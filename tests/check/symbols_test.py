# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the public libraries export. Prints a summary line as gst-check does.

Usage: symbols_test.py NM LIBRARY... [-- GIR...]
"""

import sys
import xml.etree.ElementTree as ElementTree

from checks import check, finish, run

words = sys.argv[1:]
end = words.index("--") if "--" in words else len(words)
nm, libraries, girs = words[0], words[1:end], words[end + 1:]

exported = set()
for library in libraries:
    listed = run(nm, "-D", "--defined-only", library)
    check("nm", listed.returncode == 0, listed.stderr)
    names = {line.split()[-1].split("@")[0] for line in listed.stdout.splitlines()}
    check(f"{library} exports something", len(names) > 0)
    # A C++ name begins with _Z; so do those of the standard library, which visibility lets through.
    others = sorted(name for name in names if not name.startswith("gst_"))
    check(f"{library} exports nothing but its C API", not others, " ".join(others))
    exported |= names
for gir in girs:
    attribute = "{http://www.gtk.org/introspection/c/1.0}identifier"
    functions = {node.get(attribute) for node in ElementTree.parse(gir).iter()
                 if node.tag.endswith(("}function", "}method", "}constructor"))}
    check("the GIR has functions", len(functions) > 20)
    check("what is described is exported", functions <= exported,
          " ".join(sorted(functions - exported)))

finish()
