# SPDX-License-Identifier: Apache-2.0
"""Kinds of configuration files: every shipped file is of exactly one, and that kind's schema has its keys."""
import json
import os
import re

from support import ROOT, main, scratch, spikeloom

KINDS = {"chips": ("chip", "training-chip"), "cim": ("cim",), "energy": ("energy",), "fabrics": ("fabric",), "noc": ("noc",),
         "runs": ("run",), "sweeps": ("sweep",), "train": ("train",), "validation": ("run",)}


def shipped():
    for folder, kinds in KINDS.items():
        for name in sorted(os.listdir(f"{ROOT}/configs/{folder}")):
            if name.endswith(".yaml"):
                yield f"{ROOT}/configs/{folder}/{name}", kinds


def root_keys(file):
    return re.findall(r"^([A-Za-z_]\w*):", open(file).read(), re.M)


def every_shipped_file_has_a_kind():
    schemas = {}
    folders = {f for f in os.listdir(f"{ROOT}/configs") if any(n.endswith(".yaml") for n in os.listdir(f"{ROOT}/configs/{f}"))}
    assert folders == set(KINDS), folders
    for file, kinds in shipped():
        code, out, err = spikeloom("validate", file)
        assert code == 0, err
        kind = re.search(r"valid \((.*) file\)", out).group(1)
        assert kind in kinds, out
        if kind not in schemas:
            schemas[kind] = json.loads(spikeloom("schema", kind)[1])
            assert schemas[kind]["title"] == f"spikeloom {kind} file"
        missing = set(root_keys(file)) - set(schemas[kind]["properties"]) - {"base"}
        assert not missing, (file, missing)
    assert len(schemas) == 9, sorted(schemas)


def the_help_names_all_kinds():
    names = re.search(r"KIND.*?((?:[\w-]+, )+[\w-]+)", spikeloom("schema", "--help")[1].replace("\n", " ")).group(1).split(", ")
    for kinds in KINDS.values():
        assert set(kinds) <= set(names), (kinds, names)
    assert spikeloom("schema", "house")[0] == 2


def a_file_of_another_kind_is_named():
    chip = f"{ROOT}/configs/chips/mesh45.yaml"
    for verb, wanted in (("run", "run"), ("map", "run"), ("train", "train"), ("noc", "noc"), ("sweep", "sweep")):
        code, _, err = spikeloom(verb, chip)
        assert code == 3 and err == f"spikeloom: {chip}: is a chip file, for the key `chip` of a run or training file; expected a {wanted} file\n", err
    code, _, err = spikeloom("run", f"{ROOT}/configs/train/digits_mlp.yaml")
    assert code == 3 and "is a train file, for `spikeloom train`; expected a run file" in err, err


def a_part_of_another_kind_is_named():
    """Every shipped kind in the place of every key that includes files."""
    wanted = {"chip": {"chip", "training-chip"}, "noc": {"fabric"}, "energy": {"energy"}}
    one_of = {}
    for file, kinds in shipped():
        one_of.setdefault(kinds[0], file)
    with scratch() as d:
        for key, right in wanted.items():
            for kind, file in one_of.items():
                for verb, text in (("run", f"network: {{file: n.nir}}\nprofile: {{preset: snntorch, dt: 1 ms}}\ninput: {{file: x.npz}}\nchip: {{CHIP}}\n"),
                                   ("train", "network: {input: [4], layers: [{kind: dense, outputs: 2}]}\nprofile: {preset: snntorch, dt: 1 ms}\n"
                                    "train: {algorithm: bptt, timesteps: 4, batch: 2, steps: 1, loss: mse_rate, optimizer: {kind: sgd, lr: 0.1}}\nchip: {CHIP}\n")):
                    chip = f"file: {file}" if key == "chip" else f"file: {ROOT}/configs/chips/loihi.yaml, {key}: {{file: {file}}}"
                    with open(f"{d}/x.yaml", "w") as f:
                        f.write(text.replace("CHIP", chip))
                    code, _, err = spikeloom("validate", f"{d}/x.yaml")
                    told = ", for " in err and "; expected a" in err and err.count("\n") == 1
                    assert told == (kind not in right), (key, kind, verb, code, err)
                    assert not told or (code == 3 and f"{key}: is a" in err), (key, kind, err)


def a_file_of_no_kind_is_told_the_kinds():
    with scratch() as d:
        for text, keys in (("house: 1\ngarden: 2\n", "house, garden"), ("axes: {}\nbuffers: []\n", "axes, buffers")):
            with open(f"{d}/x.yaml", "w") as f:
                f.write(text)
            code, _, err = spikeloom("validate", f"{d}/x.yaml")
            assert code == 3 and f"x.yaml: cannot tell what kind of file this is from its keys ({keys}); the kinds are run, train," in err, err


def parts_of_files_are_checked():
    with scratch() as d:
        def refused(text, message, *args):
            with open(f"{d}/x.yaml", "w") as f:
                f.write(text)
            code, _, err = spikeloom("validate", f"{d}/x.yaml", *args)
            assert code == 3 and message in err, err
        refused("topology: tours\n", "x.yaml:1:11: noc.topology: unknown `tours`; did you mean 'torus'?")
        refused("topology: mesh\nsise: [4, 4]\n", "x.yaml:2:1: sise: unknown key; did you mean 'size'?")
        refused("actions: {dendrite.acc: {value: 1 pJ, source: x}}\n", "energy.actions.dendrite.acc: no such event")
        refused("actions: {ac: {value: 1 pJ, source: x, grade: guess}}\n", "x.yaml:1:47: energy.actions.ac.grade: unknown")
        refused(f"base: {ROOT}/configs/chips/mesh45.yaml\n", "--set noc.topology: noc.topology: unknown `tours`", "--set", "noc.topology=tours")


if __name__ == "__main__":
    main([every_shipped_file_has_a_kind, the_help_names_all_kinds, a_file_of_another_kind_is_named, a_part_of_another_kind_is_named, a_file_of_no_kind_is_told_the_kinds,
          parts_of_files_are_checked])
