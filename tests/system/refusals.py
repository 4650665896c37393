# SPDX-License-Identifier: Apache-2.0
"""Runs a table of bad inputs: (name, make(directory), arguments, exit code, last line of stderr or None).

`{d}` in arguments and texts stands for the directory; `*` in a text for anything. SPIKELOOM_SHOW=1 prints what the program says."""
import os

from support import scratch, spikeloom


def agrees(got, want):
    at = 0
    for i, part in enumerate(want.split("*")):
        found = got.find(part, at)
        if found < 0 or (i == 0 and found != 0):
            return False
        at = found + len(part)
    return want.endswith("*") or at == len(got)


def refused(cases, command, file, prepare, also=None, silent=(0, 1)):
    """Each case: the expected code and text, one line of it (usage errors aside), nothing left behind unless the code is in `silent`.
    `also(directory, code, text, want, stderr)` may return one more complaint."""
    show = os.environ.get("SPIKELOOM_SHOW")
    wrong = []
    for name, make, args, want_code, want in cases:
        with scratch() as d:
            d = os.path.realpath(d)
            prepare(d)
            make(d)
            before = sorted(os.listdir(d))
            args = [a.replace("{d}", d) for a in args]
            out = [] if "-o" in args else ["-o", f"{d}/out"]
            code, _, err = spikeloom(command, f"{d}/{file}", "-q", *out, *args)
            lines = [line for line in err.splitlines() if line]
            got = lines[-1].removeprefix("spikeloom: ") if lines else ""
            if show:
                print(f"{name}: {code}: {err.replace(d, '{d}').strip()}")
            if code != want_code:
                wrong.append(f"{name}: exit code {code}, expected {want_code}: {err.strip()}")
            elif want is not None and not agrees(got, want.replace("{d}", d)):
                wrong.append(f"{name}:\n   {got!r}, expected\n   {want.replace('{d}', d)!r}")
            elif code not in (1, 2) and want is not None and len(lines) != 1:
                wrong.append(f"{name}: {len(lines)} lines: {err!r}")
            if code not in silent and name != "unknown --fail-if" and sorted(os.listdir(d)) != before:
                wrong.append(f"{name}: left {sorted(set(os.listdir(d)) - set(before))}")
            complaint = also(d, code, args, want, err) if also else None
            if complaint:
                wrong.append(f"{name}: {complaint}")
    assert not wrong, "\n" + "\n".join(wrong)
