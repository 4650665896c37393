# SPDX-License-Identifier: Apache-2.0
"""An installed tree: its program from any directory, moved, and as a package of CMake. No path of the source in it."""
import json
import os
import shutil
import subprocess

from support import PROGRAM, ROOT, main, scratch

BUILD = os.environ.get("LOOM_BUILD_DIR", os.path.dirname(PROGRAM))
CMAKE = os.environ.get("CMAKE_COMMAND", "cmake")
ENV = {k: v for k, v in os.environ.items() if k != "SPIKELOOM_SHARE"}

OUTSIDE = """cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES CXX)
find_package(Spikeloom CONFIG REQUIRED COMPONENTS config %s)
add_executable(outside main.cpp)
target_link_libraries(outside PRIVATE Spikeloom::config)
"""
MAIN = """#include <iostream>
#include "base/config/located_yaml.hpp"
int main(int, char** argv) { std::cout << loom::config::emit(loom::config::load_tree(argv[1])); }
"""


def command(*args, cwd=None, expect=0):
    p = subprocess.run([str(a) for a in args], cwd=cwd, env=ENV, capture_output=True, text=True, check=False)
    assert p.returncode == expect, f"{args}: {p.returncode}\n{p.stdout}{p.stderr}"
    return p.stdout


def install(prefix):
    command(CMAKE, "--install", BUILD, "--prefix", prefix, "--strip")


def of_a_run(program, cwd, *args):
    return json.loads(command(program, "run", *args, "--set", "input.limit=3", "-q", "--json", cwd=cwd))


def use(program, cwd):
    """What a user does far from the shipped files: each verb finds them."""
    expected = of_a_run(PROGRAM, cwd, f"{ROOT}/configs/runs/digits_conv_q8_mesh45.yaml")
    assert of_a_run(program, cwd, "configs/runs/digits_conv_q8_mesh45.yaml") == expected
    with open(f"{cwd}/own.yaml", "w", encoding="utf-8") as f:
        f.write("base: configs/runs/digits_conv_q8_mesh45.yaml\nchip: {file: configs/chips/mesh45.yaml}\n")
    assert of_a_run(program, cwd, "own.yaml") == expected
    assert of_a_run(program, cwd, "own.yaml", "--set", "chip.file=configs/chips/loihi.yaml") != expected
    command(program, "train", "configs/train/digits_mlp.yaml", "--steps", "1", "-q", cwd=cwd)
    for file in ("chips/sata", "noc/mesh8", "cim/neurram", "energy/loihi", "sweeps/chips"):
        command(program, "validate", f"configs/{file}.yaml", cwd=cwd)
    with open(f"{cwd}/sweep.yaml", "w", encoding="utf-8") as f:
        f.write("run: own.yaml\naxes: {input.limit: [1], chip.file: [configs/chips/hybrid.yaml]}\n")
    command(program, "sweep", "sweep.yaml", "-q", cwd=cwd)
    out = subprocess.run([program, "run", "configs/runs/none.yaml"], cwd=cwd, env=ENV, capture_output=True, text=True, check=False)
    assert out.returncode == 6 and "configs/runs/none.yaml: cannot open" in out.stderr, out.stderr


def runs_from_anywhere_and_moved():
    with scratch() as d:
        install(f"{d}/a prefix with spaces")
        os.makedirs(f"{d}/elsewhere/deep")
        use(f"{d}/a prefix with spaces/bin/spikeloom", f"{d}/elsewhere/deep")
        os.rename(f"{d}/a prefix with spaces", f"{d}/moved to")
        os.symlink("../moved to/bin/spikeloom", f"{d}/elsewhere/link")
        shutil.rmtree(f"{d}/elsewhere/deep/results")
        use(f"{d}/elsewhere/link", f"{d}/elsewhere/deep")


def holds_no_path_of_the_source():
    with scratch() as d:
        install(f"{d}/p")
        n = 0
        for folder, _, files in os.walk(f"{d}/p"):
            for name in files:
                with open(f"{folder}/{name}", "rb") as f:
                    data = f.read()
                n += 1
                if name.endswith(".a"):
                    continue  # an archive holds what the program does, and debug information in other builds
                for path in {ROOT, os.path.realpath(ROOT), BUILD, d}:
                    assert path.encode() not in data, f"{folder}/{name}: {path}"
        assert n > 300
    with open(f"{BUILD}/compile_commands.json", encoding="utf-8") as f:  # a text in code may be cut into words
        for c in json.load(f):
            if "_test.dir" not in c["command"] and "_bench.dir" not in c["command"]:
                defined = [a for a in c["command"].split() if a.startswith("-D") and ROOT in a]
                assert not defined, f"{c['file']}: {defined}"


def is_a_package():
    with scratch() as d:
        install(f"{d}/first")
        os.rename(f"{d}/first", f"{d}/a b")
        for name, text in (("CMakeLists.txt", OUTSIDE % ""), ("main.cpp", MAIN)):
            with open(f"{d}/{name}", "w", encoding="utf-8") as f:
                f.write(text)
        configure = (CMAKE, "-G", "Ninja", "-S", d, f"-DCMAKE_PREFIX_PATH={d}/a b", "-DCMAKE_BUILD_TYPE=Release")
        command(*configure, "-B", f"{d}/build")
        command(CMAKE, "--build", f"{d}/build")
        assert "name: mesh45" in command(f"{d}/build/outside", f"{d}/a b/share/spikeloom/configs/chips/mesh45.yaml")
        with open(f"{d}/CMakeLists.txt", "w", encoding="utf-8") as f:
            f.write(OUTSIDE % "no_such_part")
        command(*configure, "-B", f"{d}/build2", expect=1)


def brings_manuals_and_completion():
    with scratch() as d:
        install(f"{d}/p")
        share = f"{d}/p/share"
        verbs = ("run", "map", "noc", "cim", "train", "inspect", "validate", "schema", "sweep")
        for page in ("", *(f"-{v}" for v in verbs)):
            assert os.path.exists(f"{share}/man/man1/spikeloom{page}.1"), page
        for file in ("bash-completion/completions/spikeloom", "zsh/site-functions/_spikeloom",
                     "fish/vendor_completions.d/spikeloom.fish"):
            assert os.path.exists(f"{share}/{file}"), file


main([runs_from_anywhere_and_moved, holds_no_path_of_the_source, is_a_package, brings_manuals_and_completion])
