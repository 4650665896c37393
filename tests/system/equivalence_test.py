# SPDX-License-Identifier: Apache-2.0
"""What must not change a result does not change a byte of it."""
import hashlib
import os

from support import ROOT, main, run, scratch, spikeloom, stats

RUNS = os.path.join(ROOT, "configs", "runs")
FILES = ("stats.json", "stats.txt", "layers.csv", "energy.yaml", "spikes.h5", "predictions.csv", "summary.txt")


def digest(directory):
    return {f: hashlib.sha1(open(os.path.join(directory, f), "rb").read()).hexdigest() for f in FILES}


def same(name, *variants, base=()):
    with scratch() as d:
        run(f"{RUNS}/{name}.yaml", f"{d}/a", "--set", "input.limit=40", *base)
        want = digest(f"{d}/a")
        for i, v in enumerate(variants):
            run(f"{RUNS}/{name}.yaml", f"{d}/v{i}", "--set", "input.limit=40", *base, *v)
            got = digest(f"{d}/v{i}")
            assert got == want, f"{name} {v}: {[f for f in FILES if got[f] != want[f]]} differ"


def plain_loop_and_shuffled_order():
    variants = [("--engine", "plain"), ("--shuffle", "1"), ("--shuffle", "12345"), ("--engine", "plain", "--shuffle", "7")]
    for name in ("digits_conv_q8_mesh45", "digits_conv_q8_loihi", "digits_mlp_q8_mesh45"):
        same(name, *variants)
    tight = ("--set", "chip.core.axon_in.fifo=1", "--set", "chip.core.axon_out.fifo=1", "--set", "chip.noc.router.buffer=1",
             "--set", "chip.noc.router.vcs=2", "--set", "chip.core.soma.max_neurons=100", "--set", "chip.noc.size=[6, 6]")
    same("digits_conv_q8_mesh45", *variants, base=tight)


def thread_count():
    for name in ("digits_conv_q8_mesh45", "digits_mlp_q8_loihi"):
        same(name, ("--threads", "2"), ("--threads", "7"))


def a_rerun_of_the_resolved_configuration():
    for name in ("digits_conv_q8_loihi", "digits_mlp_q8_mesh45"):
        with scratch() as d:
            run(f"{RUNS}/{name}.yaml", f"{d}/a", "--seed", "5", "--set", "input.limit=30", "--set", "input.encoding=spikes" if "mlp" in name else "map.place=sequential")
            run(f"{d}/a/config.resolved.yaml", f"{d}/b")
            assert digest(f"{d}/a") == digest(f"{d}/b")


def seeds_change_random_input_only():
    args = ["--set", "input.encoding=bernoulli", "--set", "input.limit=10", "--set", "chip.core.axon_in.payload_bits=0"]
    with scratch() as d:
        for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
            run(f"{RUNS}/digits_conv_q8_mesh45.yaml", f"{d}/{name}", "--seed", seed, *args)
        a, b, c = (digest(f"{d}/{n}") for n in "abc")
        assert a == b
        assert a["spikes.h5"] != c["spikes.h5"]


def placement_changes_traffic_not_spikes():
    with scratch() as d:
        extra = ["--set", "input.limit=20", "--set", "chip.core.soma.max_neurons=64", "--set", "chip.noc.size=[8, 8]"]
        run(f"{RUNS}/digits_conv_q8_mesh45.yaml", f"{d}/a", *extra)
        run(f"{RUNS}/digits_conv_q8_mesh45.yaml", f"{d}/b", *extra, "--set", "map.place=sequential")
        assert digest(f"{d}/a")["spikes.h5"] == digest(f"{d}/b")["spikes.h5"]
        auto, sequential = stats(f"{d}/a")["noc"]["flit_hops"], stats(f"{d}/b")["noc"]["flit_hops"]
        assert auto < sequential, (auto, sequential)


def per_sample_cycles_do_not_depend_on_neighbours():
    with scratch() as d:
        run(f"{RUNS}/digits_mlp_q8_mesh45.yaml", f"{d}/a", "--set", "input.limit=20")
        run(f"{RUNS}/digits_mlp_q8_mesh45.yaml", f"{d}/b", "--set", "input.limit=5")
        a = open(f"{d}/a/predictions.csv").read().splitlines()[:6]
        assert a == open(f"{d}/b/predictions.csv").read().splitlines()


def waveform():
    with scratch() as d:
        run(f"{RUNS}/digits_mlp_q8_mesh45.yaml", f"{d}/a", "--set", "input.limit=1", "--vcd", f"{d}/w.vcd", "--vcd-signals", "timestep,noc.*")
        run(f"{RUNS}/digits_mlp_q8_mesh45.yaml", f"{d}/b", "--set", "input.limit=1")
        assert digest(f"{d}/a") == digest(f"{d}/b")
        text = open(f"{d}/w.vcd").read()
        assert "flits_in_flight" in text and "timestep" in text and "host" not in text
        assert text.count("#") > 100
        code, _, err = spikeloom("run", f"{RUNS}/digits_mlp_q8_mesh45.yaml", "-o", f"{d}/c", "--vcd", f"{d}/x", "--vcd-signals", "nothing")
        assert code == 2 and "no signal matches 'nothing'" in err, (code, err)


if __name__ == "__main__":
    main([plain_loop_and_shuffled_order, thread_count, a_rerun_of_the_resolved_configuration, seeds_change_random_input_only,
          placement_changes_traffic_not_spikes, per_sample_cycles_do_not_depend_on_neighbours, waveform])
