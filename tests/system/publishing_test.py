# SPDX-License-Identifier: Apache-2.0
"""Users' files and results: what the program did not write stays, what it wrote is whole, under kills, full disks, other
processes and changed inputs. Each test walks over all verbs that write a directory."""
import csv
import fcntl
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np

from support import PROGRAM, ROOT, main, scratch, spikeloom, stats

RUN = f"{ROOT}/configs/runs/digits_mlp_q8_mesh45.yaml"
TRAIN = f"{ROOT}/configs/train/digits_mlp.yaml"
ESTIMATE = f"{ROOT}/configs/train/sata_vgg5.yaml"
FEW = ("--set", "input.limit=2")


def verbs(d):
    """{verb: arguments} of every verb that takes -o."""
    np.save(f"{d}/w.npy", np.ones((8, 3), dtype=np.int64))
    np.save(f"{d}/x.npy", np.eye(8, dtype=np.int64))
    with open(f"{d}/sweep.yaml", "w") as f:
        f.write(f"run: {RUN}\naxes: {{input.limit: [1, 2]}}\n")
    return {"run": ("run", RUN, "-q", *FEW),
            "noc": ("noc", f"{ROOT}/configs/noc/mesh8.yaml", "-q", "--set", "measure.samples=1", "--set", "measure.sample=200",
                    "--set", "measure.warmup=1", "--seed", "1"),
            "cim": ("cim", f"{ROOT}/configs/cim/rram_1b.yaml" if os.path.exists(f"{ROOT}/configs/cim/rram_1b.yaml") else a_cim_file(),
                    "--weights", f"{d}/w.npy", "--inputs", f"{d}/x.npy"),
            "train": ("train", TRAIN, "-q", "--steps", "3"),
            "estimate": ("train", ESTIMATE, "--fidelity", "estimate", "-q"),
            "sweep": ("sweep", f"{d}/sweep.yaml", "-q")}


def a_cim_file():
    return f"{ROOT}/configs/cim/" + sorted(f for f in os.listdir(f"{ROOT}/configs/cim") if f.endswith(".yaml"))[0]


def done(args, out, expect=0):
    code, stdout, stderr = spikeloom(*args, "-o", out)
    assert code == expect, f"{' '.join(args)}: exit code {code}, expected {expect}: {stderr}"
    return stderr


def write(path, text="precious"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def tree(d):
    return {os.path.relpath(f"{at}/{f}", d): read(f"{at}/{f}") for at, _, files in os.walk(d) for f in files}


def is_whole(out):
    """The manifest is ours, and every file is what it says."""
    m = json.loads(read(f"{out}/manifest.json"))
    assert m["spikeloom"] and m["verb"] and m["files"], m
    for name, digest in m["files"].items():
        assert digest is None or hashlib.sha1(read(f"{out}/{name}")).hexdigest() == digest, f"{out}/{name}"
    return m


def litter(d):
    return [n for n in os.listdir(d) if n.startswith(".") or ".kept" in n]


def what_is_not_ours_is_refused():
    with scratch() as d:
        for verb, args in verbs(d).items():
            for name in ("web", "notes"):
                out = f"{d}/{verb}-{name}"
                write(f"{out}/src/code.js")
                if name == "web":
                    write(f"{out}/manifest.json", '{"name": "my extension"}')
                elif verb == "sweep":
                    write(f"{out}/results.csv")
                before = tree(out)
                err = done(args, out, expect=6)
                assert "choose another" in err and out in err, err
                assert tree(out) == before and not litter(d), (verb, litter(d))


def users_files_stay():
    with scratch() as d:
        for verb, args in verbs(d).items():
            out = f"{d}/{verb}"
            done(args, out)
            first = set(os.listdir(out))
            for name in ("notes.txt", "trained.copy.nir", "folder/deep/notes.txt"):
                write(f"{out}/{name}")
            os.symlink("/nowhere", f"{out}/link")
            edited = "results.csv" if verb == "sweep" else "summary.txt"
            ours = read(f"{out}/{edited}")
            write(f"{out}/{edited}", "my remarks")
            done(args, out + "/")
            assert set(os.listdir(out)) == first | {"notes.txt", "trained.copy.nir", "folder", "link", f"{edited}.kept"}, os.listdir(out)
            assert read(f"{out}/folder/deep/notes.txt") == read(f"{out}/notes.txt") == b"precious"
            assert os.readlink(f"{out}/link") == "/nowhere" and read(f"{out}/{edited}.kept") == b"my remarks"
            assert read(f"{out}/{edited}") == ours and is_whole(out) and not litter(d), verb
        # files of an earlier result that the new one does not have go
        done((*verbs(d)["run"], "--set", "record=[packets]"), f"{d}/run")
        assert os.path.exists(f"{d}/run/packets.csv")
        done(verbs(d)["run"], f"{d}/run")
        assert not os.path.exists(f"{d}/run/packets.csv") and os.path.exists(f"{d}/run/notes.txt")


def other_results_stay():
    """No verb replaces the result of another one, no training the network of another training."""
    with scratch() as d:
        all_verbs = verbs(d)
        for verb, args in all_verbs.items():
            done(args, f"{d}/{verb}")
        for verb, args in all_verbs.items():
            for other in all_verbs:
                if other != verb:
                    before = tree(f"{d}/{other}")
                    done(args, f"{d}/{other}", expect=6)
                    assert tree(f"{d}/{other}") == before, (verb, other)
        network = read(f"{d}/train/trained.nir")
        done(all_verbs["train"], f"{d}/train")
        assert read(f"{d}/train/trained.nir") == network and not os.path.exists(f"{d}/train.kept")
        write(f"{d}/train/notes.txt")
        err = done(("train", TRAIN, "--steps", "3", "--set", "train.optimizer.lr=0.5"), f"{d}/train")
        assert f"what was there is kept in {d}/train.kept" in err and os.path.exists(f"{d}/train/notes.txt"), err
        assert read(f"{d}/train.kept/trained.nir") == network and is_whole(f"{d}/train.kept")
        done(("train", TRAIN, "-q", "--steps", "2"), f"{d}/train")
        assert is_whole(f"{d}/train.kept-2") and os.path.exists(f"{d}/train.kept-2/notes.txt")
        shutil.rmtree(f"{d}/train")
        os.rename(f"{d}/train.kept", f"{d}/train")
        done(("train", TRAIN, "-q", "--steps", "4", "--resume"), f"{d}/train")
        assert read(f"{d}/train/trained.nir") != network


def kills_lose_nothing():
    rng = random.Random(5)
    with scratch() as d:
        for verb, args in verbs(d).items():
            out = f"{d}/{verb}"
            start = time.time()
            done(args, out)
            whole = time.time() - start
            write(f"{out}/notes.txt")
            before = tree(out)
            for _ in range(6):
                p = subprocess.Popen([PROGRAM, *args, "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(rng.uniform(0.3, 1.1) * whole)
                p.kill()
                p.wait()
                for name, content in before.items():   # the same command: the same bytes, killed or not
                    if not name.endswith(("host.json", "manifest.json")):
                        assert read(f"{out}/{name}") == content, (verb, name)
                is_whole(out)
            done(args, out)
            assert read(f"{out}/notes.txt") == b"precious"
            assert not [n for n in os.listdir(d) if n.startswith(".")], os.listdir(d)


def one_of_several_processes_writes():
    with scratch() as d:
        args = verbs(d)["run"]
        several = [subprocess.Popen([PROGRAM, *args, "-o", f"{d}/o"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(5)]
        ends = [(p.communicate()[1], p.returncode) for p in several]
        assert all(code == 0 or (code == 6 and "is writing there" in err) for err, code in ends) and 0 in [c for _, c in ends], ends
        before = tree(f"{d}/o")
        is_whole(f"{d}/o")
        lock = f"{d}/.o.lock"
        boot = read("/proc/sys/kernel/random/boot_id").decode().strip()
        me = {"spikeloom": "lock", "host": os.uname().nodename, "boot": boot, "pid_namespace": "pid:[1]", "pid": 4194303}
        # a process of another container lives: the system's lock says so, not its number
        write(lock, json.dumps(me))
        with open(lock) as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            err = done(args, f"{d}/o", expect=6)
        assert "process 4194303" in err and lock in err and tree(f"{d}/o") == before, err
        # a process of another host, and a file that is no lock: nothing is known
        for text in (json.dumps({**me, "host": "elsewhere", "boot": "other"}), "", "mine"):
            write(lock, text)
            assert lock in done(args, f"{d}/o", expect=6)
            assert read(lock).decode() == text and tree(f"{d}/o") == before
        # dead, or of before a restart
        for dead in (me, {**me, "boot": "earlier"}):
            write(lock, json.dumps(dead))
            done(args, f"{d}/o")
            assert not os.path.exists(lock)
        # a sweep and a training take the same locks
        for verb in ("sweep", "train"):
            write(f"{d}/.{verb}.lock", "")
            assert ".lock" in done(verbs(d)[verb], f"{d}/{verb}", expect=6)


def left_behind():
    """A finished result under a temporary name is kept; what is not ours is in the way."""
    with scratch() as d:
        args = verbs(d)["run"]
        done(args, f"{d}/o")
        shutil.copytree(f"{d}/o", f"{d}/.o.tmp.new")
        done(args, f"{d}/o")
        assert is_whole(f"{d}/o.kept") and is_whole(f"{d}/o")
        os.rename(f"{d}/o", f"{d}/.o.tmp.new")
        done(args, f"{d}/o")
        write(f"{d}/.o.tmp.new/half.csv")
        assert "move it away" in done(args, f"{d}/o", expect=6)
        write(f"{d}/.o.tmp.new/.spikeloom-unfinished")
        done(args, f"{d}/o")
        assert sorted(n for n in os.listdir(d) if n.startswith((".", "o"))) == ["o", "o.kept"], os.listdir(d)


def full_disk():
    with scratch() as d:
        os.mkdir(f"{d}/disk")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", f"{d}/disk"], capture_output=True, check=False).returncode != 0:
            print("skipped: no small disk can be mounted")
            return
        try:
            for verb, args in verbs(d).items():
                for more in ((), ("--threads", "2")) if verb in ("run", "noc") else ((),):
                    records = ("--set", "record=[spikes, packets]") if verb == "run" else ()
                    for free in (0, 4, 12):
                        write(f"{d}/disk/fill", "x" * ((1 << 20) - (free << 10) - 8192))
                        code, _, err = spikeloom(*args, *more, *records, "-o", f"{d}/disk/o")
                        os.remove(f"{d}/disk/fill")
                        if code == 0:   # there was room
                            shutil.rmtree(f"{d}/disk/o")
                            continue
                        table = f"{d}/disk/o/results.csv"
                        told = err + (read(table).decode() if os.path.exists(table) else "")
                        assert code in (1, 6) and f"{d}/disk/" in told and ("No space left" in told or "cannot be written (HDF5)" in told), (verb, more, free, code, told)
                        shutil.rmtree(f"{d}/disk/o", ignore_errors=True)
                        shutil.rmtree(f"{d}/disk/o.training", ignore_errors=True)
            subprocess.run(["mount", "-o", "remount,ro", f"{d}/disk"], check=True)
            for verb, args in verbs(d).items():
                assert f"{d}/disk/" in done(args, f"{d}/disk/o", expect=6)
            subprocess.run(["mount", "-o", "remount,rw", f"{d}/disk"], check=True)
            err = done(verbs(d)["run"], f"{d}/disk", expect=6)
            assert "is a mount point" in err, err
        finally:
            subprocess.run(["umount", f"{d}/disk"], check=True)


def standard_output():
    with scratch() as d:
        commands = [*verbs(d).values(), ("--help",), ("--version",), ("schema", "run"), ("validate", RUN), ("map", RUN),
                    ("inspect", f"{ROOT}/tests/golden/digits/digits_mlp_q8.nir")]
        commands += [(*c, "--json") for v, c in verbs(d).items() if v != "sweep"]
        for i, c in enumerate(commands):
            out = ("-o", f"{d}/{i}") if "-q" in c else ()
            with open("/dev/full", "w") as full:
                p = subprocess.run([PROGRAM, *c, *out], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            assert p.returncode == 6 and "standard output: cannot be written: " in p.stderr, (c, p.returncode, p.stderr)
            if c[-1] == "--json":
                code, stdout, err = spikeloom(*c, *out)
                assert code == 0 and json.loads(stdout), (c, err)
        code, _, err = spikeloom("map", f"{d}/none.yaml")
        with open("/dev/full", "w") as full:
            assert subprocess.run([PROGRAM, "map", f"{d}/none.yaml"], stderr=full, check=False).returncode == code == 6
        p = subprocess.run(f"{PROGRAM} run {RUN} -q -o {d}/closed --set input.limit=1 >&-", shell=True, capture_output=True, text=True, check=False)
        assert p.returncode == 6 and is_whole(f"{d}/closed"), p.stderr


def waveforms():
    with scratch() as d:
        args = ("run", RUN, "--set", "input.limit=1")
        err = done((*args, "--vcd", f"{d}/missing/wave"), f"{d}/o", expect=6)
        assert f"{d}/missing/wave.vcd: cannot be written: No such file" in err and not os.path.exists(f"{d}/o"), err
        code, stdout, err = spikeloom(*args, "-o", f"{d}/o", "--json", "--vcd", f"{d}/o/wave")
        assert code == 0 and json.loads(stdout) and "Info" in err, err
        wave = read(f"{d}/o/wave.vcd")
        assert wave.rstrip().startswith(b"$date") or b"$timescale" in wave
        done(args, f"{d}/o")
        assert read(f"{d}/o/wave.vcd") == wave
        done((*args, "--vcd", f"{d}/o/wave.vcd"), f"{d}/o")
        assert sorted(n for n in os.listdir(f"{d}/o") if "wave" in n) == ["wave.vcd"]


def own_run(d):
    """A run file with a network that can be changed."""
    shutil.copy(f"{ROOT}/tests/golden/digits/digits_mlp_q8.nir", f"{d}/net.nir")
    shutil.copy(f"{d}/net.nir", f"{d}/other.nir")
    with h5py.File(f"{d}/other.nir", "r+") as f:
        for node in f["node/nodes"].values():
            if "v_threshold" in node:
                node["v_threshold"][...] *= 2
    shutil.copy(f"{d}/net.nir", f"{d}/original.nir")
    write(f"{d}/run.yaml", f"base: {RUN}\nnetwork: {{file: net.nir}}\n")
    return f"{d}/run.yaml"


def rows(out):
    with open(f"{out}/results.csv") as f:
        return [{k: v for k, v in r.items() if k not in ("result",)} for r in csv.DictReader(f)]


def sweeps_believe_only_hashes():
    with scratch() as d:
        own_run(d)
        write(f"{d}/s.yaml", "run: run.yaml\naxes: {input.limit: [1, 2, 3, 4]}\n")
        args = ("sweep", f"{d}/s.yaml", "-q")
        done(args, f"{d}/truth")
        truth = rows(f"{d}/truth")
        done(args, f"{d}/o")
        point = f"{d}/o/" + sorted(n for n in os.listdir(f"{d}/o") if os.path.isdir(f"{d}/o/{n}"))[0]
        text = read(f"{point}/stats.json").decode()
        for damaged in ("", text[:3000], text.replace('"total_pj": ', '"total_pj": 7')):
            write(f"{point}/stats.json", damaged)
            done(args, f"{d}/o")
            assert rows(f"{d}/o") == truth and read(f"{point}/stats.json").decode() == text
        write(f"{point}/manifest.json", "")
        done(args, f"{d}/o")
        assert rows(f"{d}/o") == truth and is_whole(point)
        # clocks that jump change nothing: finished points are not run again, and a changed input is noticed
        for when in (0, 4e9):
            for at, _, files in os.walk(d):
                for f in files:
                    os.utime(f"{at}/{f}", (when, when))
            write(f"{point}/mark")
            inode = os.stat(point).st_ino
            done(args, f"{d}/o")
            assert rows(f"{d}/o") == truth and os.stat(point).st_ino == inode
        shutil.copy(f"{d}/other.nir", f"{d}/net.nir")
        os.utime(f"{d}/net.nir", (4e9, 4e9))
        done(args, f"{d}/o")
        assert rows(f"{d}/o") != truth
        # a network that is replaced while a sweep runs
        shutil.copy(f"{d}/original.nir", f"{d}/net.nir")
        p = subprocess.Popen([PROGRAM, *args, "-o", f"{d}/late"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not any(os.path.exists(f"{d}/late/{n}/stats.json") for n in (os.listdir(f"{d}/late") if os.path.exists(f"{d}/late") else ())):
            time.sleep(0.005)
        os.replace(f"{d}/other.nir", f"{d}/net.nir")
        p.wait()
        for r, right in zip(rows(f"{d}/late"), truth):
            assert r == right or "an input file changed" in r["error"], r
        os.replace(f"{d}/original.nir", f"{d}/net.nir")
        done(args, f"{d}/late")
        assert rows(f"{d}/late") == truth


def a_killed_sweep_ends_its_points():
    with scratch() as d:
        write(f"{d}/s.yaml", f"train: {TRAIN}\naxes: {{train.batch: [7, 8]}}\n")
        p = subprocess.Popen([PROGRAM, "sweep", f"{d}/s.yaml", "-q", "-j", "2", "-o", f"{d}/o"])
        children = f"/proc/{p.pid}/task/{p.pid}/children"
        while len(points := read(children).split()) < 2:
            time.sleep(0.01)
        p.send_signal(signal.SIGKILL)
        p.wait()
        end = time.time() + 5
        alive = points
        while alive and time.time() < end:
            alive = [n for n in points if os.path.exists(f"/proc/{int(n)}") and b"\nState:\tZ" not in read(f"/proc/{int(n)}/status")]
            time.sleep(0.01)
        assert not alive, alive


def warnings_reach_the_table():
    with scratch() as d:
        write(f"{d}/s.yaml", f"run: {RUN}\naxes: {{chip.core.dendrite.accumulator_bits: [8, 24]}}\n")
        code, _, err = spikeloom("sweep", f"{d}/s.yaml", "-o", f"{d}/o")
        assert code == 0 and "1 of 2 points have warnings" in err, err
        narrow, wide = csv.DictReader(open(f"{d}/o/results.csv"))
        assert "saturated" in narrow["warnings"] and wide["warnings"] == "", (narrow, wide)
        assert any("saturated" in w for w in is_whole(f"{d}/o/{narrow['result']}")["warnings"])
        assert "warnings" not in is_whole(f"{d}/o/{wide['result']}")


def late_errors_come_early():
    """What a router cannot carry is found by validate and map."""
    with scratch() as d:
        for flits, expect in ((2, 3), (1, 0)):
            write(f"{d}/r.yaml", f"base: {RUN}\nchip: {{noc: {{router: {{kind: timeout, wait1: 100000}}}}, core: {{axon_out: {{flits: {flits}}}}}}}\n")
            for verb in ("validate", "map"):
                code, _, err = spikeloom(verb, f"{d}/r.yaml")
                assert code == expect and (code == 0 or "chip.core.axon_out.flits: spike packets have 2 flits" in err), (verb, code, err)


def readme_commands_stand_beside_each_other():
    """One after the other, no command of README replaces what an earlier one made."""
    with scratch() as d:
        text = read(f"{ROOT}/README.md").decode().replace("\\\n", " ")
        places = {}
        for line in text.splitlines():
            words = line.split("#")[0].split()
            if not words or words[0] != "build/spikeloom" or words[1] not in ("run", "train", "sweep"):
                continue
            out = words[words.index("-o") + 1] if "-o" in words else "results/" + os.path.basename(words[2])[:-5]
            assert out not in places, f"README: {line} and {places[out]} write {out}"
            places[out] = line
        assert len(places) >= 4, places


if __name__ == "__main__":
    main([what_is_not_ours_is_refused, users_files_stay, other_results_stay, kills_lose_nothing, one_of_several_processes_writes,
          left_behind, full_disk, standard_output, waveforms, sweeps_believe_only_hashes, a_killed_sweep_ends_its_points,
          warnings_reach_the_table, late_errors_come_early, readme_commands_stand_beside_each_other])
