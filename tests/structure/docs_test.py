#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Links of the docs lead somewhere, lines are at most 120 characters, and every page can be found from docs/README.md.

Tables and indented code may be longer. The CHANGELOG's old entries are left as they were written.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOP = ["README.md", "CONTRIBUTING.md"]
MAX_COLUMNS = 120


def pages():
    found = list(TOP)
    for folder in ("docs", "examples"):
        for where, _, files in os.walk(os.path.join(ROOT, folder)):
            found += [os.path.relpath(os.path.join(where, f), ROOT) for f in files if f.endswith(".md")]
    return sorted(found)


def links(page, text):
    for url in re.findall(r"\]\(([^)\s]+)\)", text):
        path = url.split("#")[0]
        if path and "://" not in path:
            yield os.path.normpath(os.path.join(os.path.dirname(page), path))


def main():
    problems, reached = [], set()
    for page in pages():
        with open(os.path.join(ROOT, page), encoding="utf-8") as f:
            text = f.read()
        for target in links(page, text):
            reached.add(target)
            if not os.path.exists(os.path.join(ROOT, target)):
                problems.append(f"{page}: no {target}")
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > MAX_COLUMNS and not line.startswith(("|", "    ")):
                problems.append(f"{page}:{number}: {len(line)} characters, at most {MAX_COLUMNS}")
    for page in pages():
        if page.startswith("docs/") and page != "docs/README.md" and "/adr/" not in page and page not in reached:
            problems.append(f"{page}: no page leads here")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
