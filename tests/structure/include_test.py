#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Includes go the way that CMake says, and only downwards; files and functions stay short.

1. A file may include what its own library reaches through DEPENDS (or names in PRIVATE_DEPENDS). A header without a
   source file counts like any other.
2. The floors of the house: base <- arch <- {cores, noc, compiler, traces} <- sim <- training <- app. Rooms of one floor
   do not include each other.
3. No file of the product is longer than 400 lines, no function longer than 80.

`include_test.py --self-test` plants an arrow that goes up and a long file in a copy of the lists and wants to see both.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLOORS = [["base"], ["arch"], ["cores", "noc", "compiler", "traces"], ["sim"], ["training"], ["app"]]
MAX_LINES = 400
MAX_FUNCTION = 80
NO_FUNCTION = re.compile(r"^\s*(namespace|class|struct|enum|union|extern|if|for|while|switch|else|do|try|catch|return)\b|^template <.*> (class|struct)|=\s*\{$|^\s*\}")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def tracked():
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if out.returncode == 0:
        return [f for f in out.stdout.splitlines() if os.path.exists(os.path.join(ROOT, f))]
    return [os.path.relpath(os.path.join(d, f), ROOT) for d, _, files in os.walk(ROOT) for f in files]


def libraries(files):
    """{folder: (library, names that it depends on)}; a folder has one library."""
    found = {}
    for f in files:
        if not f.endswith("CMakeLists.txt") or os.path.dirname(f) == "":
            continue
        for name, body in re.findall(r"loom_add_library\((\w+)(.*?)\)", read(f), re.S):
            depends = re.findall(r"(?:PRIVATE_)?DEPENDS\s+(.*?)(?=SOURCES|PRIVATE_DEPENDS|DEPENDS|$)", body, re.S)
            folder = os.path.dirname(f)
            assert folder not in found, f"{f}: two libraries in one folder"
            found[folder] = (name, {d for part in depends for d in part.split()})
    return found


def folder_of(path, folders):
    while path:
        path = os.path.dirname(path)
        if path in folders:
            return path
    return None


def floor_of(path):
    top = path.split("/")[0]
    return next((i for i, floor in enumerate(FLOORS) if top in floor), None)


def reachable(depends):
    """{library: all that it reaches through DEPENDS}"""
    def visit(name, seen):
        for d in depends.get(name, ()):
            if d not in seen:
                seen.add(d)
                visit(d, seen)
        return seen
    return {name: visit(name, set()) for name in depends}


def wrong_includes(sources, libs, text_of=read):
    wrong = []
    reach = reachable(dict(libs.values()))
    for f in sources:
        own = folder_of(f, libs)
        for target in re.findall(r'^#include "([^"]+)"', text_of(f), re.M):
            at, to = floor_of(f), floor_of(target)
            if to is None:
                continue   # made by the build, or beside the file
            same_room = f.split("/")[0] == target.split("/")[0]
            if to > at or (to == at and not same_room):
                wrong.append(f"{f}: includes {target}, which stands higher or beside it")
            there = folder_of(target, libs)
            if own is None or there is None or own == there:
                continue
            if libs[there][0] not in reach[libs[own][0]]:
                wrong.append(f"{f}: includes {target}, but {libs[own][0]} does not say DEPENDS {libs[there][0]}")
    return wrong


def long_files(sources, text_of=read):
    counts = {f: text_of(f).count("\n") for f in sources}
    return [f"{f}: {n} lines, at most {MAX_LINES}" for f, n in counts.items() if n > MAX_LINES]


def long_functions(sources, text_of=read):
    """A function starts with a statement that ends in ") ... {" and ends at the next brace of its indentation."""
    wrong = []
    for f in sources:
        lines = text_of(f).split("\n")
        first, start, indent = 0, None, ""
        for number, line in enumerate(lines):
            if start is None:
                head = lines[first]
                if line.endswith("{") and ")" in " ".join(lines[first:number + 1]) and not NO_FUNCTION.search(head):
                    start, indent = first, head[:len(head) - len(head.lstrip())]
                if not line or line.endswith(("{", "}", ";", ":")) or line.lstrip().startswith(("//", "#")):
                    first = number + 1
            elif line.startswith(indent + "}"):
                if number - start + 1 > MAX_FUNCTION:
                    wrong.append(f"{f}:{start + 1}: a function of {number - start + 1} lines, at most {MAX_FUNCTION}")
                start, first = None, number + 1
    return wrong


def self_test(sources, libs):
    def planted(f):
        if f == "base/rng.cpp":
            return read(f) + '#include "noc/network.hpp"\nvoid f() {\n' + "\n" * MAX_LINES + "}\n"
        return read(f)
    assert any("base/rng.cpp" in w for w in wrong_includes(sources, libs, planted)), "an arrow that goes up was not seen"
    assert any("base/rng.cpp" in w for w in long_files(sources, planted)), "a long file was not seen"
    assert any("base/rng.cpp" in w for w in long_functions(sources, planted)), "a long function was not seen"
    only = {folder: (name, set()) for folder, (name, _) in libs.items()}
    assert wrong_includes(sources, only), "a missing DEPENDS was not seen"


def main():
    files = tracked()
    libs = libraries(files)
    rooms = {room for floor in FLOORS for room in floor}
    sources = [f for f in files if f.endswith((".cpp", ".hpp")) and f.split("/")[0] in rooms]
    assert len(sources) > 300 and len(libs) > 15, "the tree was not found"
    if "--self-test" in sys.argv:
        self_test(sources, libs)
        return 0
    problems = wrong_includes(sources, libs) + long_files(sources) + long_functions(sources)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
