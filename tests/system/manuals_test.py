# SPDX-License-Identifier: Apache-2.0
"""Manual pages and shell completion say what --help says: every verb and every option, in each of them."""
import os
import re
import subprocess
import sys

from support import PROGRAM, ROOT, main, scratch, spikeloom


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


def help_of(*args):
    """(verbs, long options) that --help lists, read with no regard to how make-manuals reads them."""
    code, text, _ = spikeloom(*args, "--help")
    assert code == 0
    text = text.split("Exit codes:")[0]
    verbs = re.findall(r"^  ([a-z]+) ", text.partition("Subcommands:")[2], re.MULTILINE)
    return verbs, set(re.findall(r"^  (?:-\w,)?--([a-z-]+)", text, re.MULTILINE))


def bash(words, cwd):
    """What bash offers for the last of the words."""
    script = (f'compopt() {{ :; }}; . "{ROOT}/completion/spikeloom.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              'COMPREPLY=(); _spikeloom; printf "%s\\n" "${COMPREPLY[@]}"')
    p = subprocess.run(["bash", "-c", script, "bash", *words], cwd=cwd, capture_output=True, text=True, check=True)
    return [line for line in p.stdout.split("\n") if line]


def files_are_what_the_script_writes():
    p = subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "make-manuals"), PROGRAM, "--check"],
                       capture_output=True, text=True, check=False)
    assert p.returncode == 0, p.stdout + p.stderr


def every_verb_and_option_is_there():
    verbs, _ = help_of()
    assert len(verbs) >= 9
    zsh, fish = read("completion/_spikeloom"), read("completion/spikeloom.fish")
    with scratch() as d:
        assert set(verbs) < set(bash(["spikeloom", ""], d))
        for verb in verbs:
            _, options = help_of(verb)
            assert {"help", "version"} <= options
            assert f"'{verb}:" in zsh and f"-a {verb} " in fish, verb
            page = read(f"man/spikeloom-{verb}.1").replace("\\", "")
            offered = bash(["spikeloom", verb, "-"], d)
            section = zsh.split(f" {verb})\n")[1].split(";;")[0]
            for o in options:
                assert f"--{o}" in offered, f"bash: {verb} --{o}"
                assert f"'--{o}[" in section or f"'*--{o}[" in section or f",--{o}}}" in section, f"zsh: {verb} --{o}"
                assert re.search(rf"from {verb}' .*-l {o} ", fish), f"fish: {verb} --{o}"
                assert f"fB--{o}fR" in page, f"man: {verb} --{o}"


def bash_offers_files_and_choices():
    with scratch() as d:
        for name in ("a run.yaml", "b.nir", "w.npy"):
            with open(f"{d}/{name}", "w", encoding="utf-8"):
                pass
        os.mkdir(f"{d}/folder")
        assert sorted(bash(["spikeloom", "run", ""], d)) == ["a run.yaml", "folder"]
        assert sorted(bash(["spikeloom", "inspect", ""], d)) == ["b.nir", "folder"]
        assert bash(["spikeloom", "cim", "--weights", "w"], d) == ["w.npy"]
        assert bash(["spikeloom", "run", "-o", ""], d) == ["folder"]
        assert bash(["spikeloom", "run", "--engine", "p"], d) == ["plain"]
        assert bash(["spikeloom", "schema", "ch"], d) == ["chip"]


main([files_are_what_the_script_writes, every_verb_and_option_is_there, bash_offers_files_and_choices])
