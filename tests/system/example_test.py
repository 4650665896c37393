# SPDX-License-Identifier: Apache-2.0
"""An example does what its README says, in a fresh directory, against an installed Spikeloom.

Usage: example_test.py NAME: examples/NAME. Lines "    $ command" of its README are run, the other indented lines below
are what the command must print, one below the other; "..." is anything. A line "Needed: `apt-get install x y` ..."
names packages without which the example is left out.
"""
import os
import re
import shutil
import subprocess
import sys

from support import PROGRAM, ROOT, SKIPPED, scratch

BUILD = os.environ.get("LOOM_BUILD_DIR", os.path.dirname(PROGRAM))
CMAKE = os.environ.get("CMAKE_COMMAND", "cmake")


def what_to_type(readme):
    """[(command, what it prints)]"""
    steps = []
    for line in readme.split("\n"):
        if line.startswith("    $ "):
            steps.append([line[6:], []])
        elif steps and steps[-1][0].endswith("\\"):
            steps[-1][0] += "\n" + line
        elif line.startswith("    ") and steps:
            steps[-1][1].append(line[4:].rstrip())
    return steps


def matches(expected, output):
    pattern = "\n".join(".*".join(re.escape(part) for part in line.split("...")) for line in expected)
    return re.search(pattern, "\n".join(line.rstrip() for line in output.split("\n"))) is not None


def is_installed(package):
    if shutil.which(package):
        return True
    p = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True, check=False)
    return "ok installed" in p.stdout


def main(name):
    folder = os.path.join(ROOT, "examples", name)
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as f:
        readme = f.read()
    needed = re.search(r"^Needed: `apt-get install ([^`]*)`", readme, re.MULTILINE)
    for package in needed.group(1).split() if needed else []:
        if not is_installed(package):
            print(f"left out: {package} is not installed")
            return SKIPPED
    steps = what_to_type(readme)
    assert steps, "the README says nothing to type"
    with scratch() as home:
        prefix = f"{home}/.local"
        subprocess.run([CMAKE, "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        shutil.copytree(folder, f"{home}/{name}", ignore=shutil.ignore_patterns("build", "results"))
        env = {k: v for k, v in os.environ.items() if k not in ("SPIKELOOM_SHARE", "Spikeloom_DIR", "CMAKE_PREFIX_PATH")}
        env.update(HOME=home, PATH=f"{prefix}/bin:{os.path.dirname(sys.executable)}:{env['PATH']}")
        for command, expected in steps:
            p = subprocess.run(["bash", "-e", "-c", command], cwd=f"{home}/{name}", env=env, text=True, check=False,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            print(f"$ {command}\n{p.stdout}", flush=True)
            if p.returncode != 0 or not matches(expected, p.stdout):
                print(f"FAILED  {command}: exit code {p.returncode}, expected 0 and:\n" + "\n".join(expected))
                return 1
    return 0


sys.exit(main(sys.argv[1]))
