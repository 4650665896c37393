# SPDX-License-Identifier: Apache-2.0
"""What a refusal says is needed is enough: the same network with that much is mapped, whatever it had before."""
import re

from support import ROOT, main, scratch, spikeloom

GOLDEN = f"{ROOT}/tests/golden/digits"
RUN = """network: {file: %s}
profile: {preset: nir-euler, dt: 100 us, compare: ">", reset: value}
input:   {file: %s/digits_image_input.npz, array: image, scale: 0.0625, encoding: constant, timesteps: 8, limit: 1}
chip:    {file: %s/configs/chips/%s.yaml}
"""
# chip, settings that make layers need several cores
CASES = [
    ("mesh45", ["chip.core.soma.max_neurons=40"]),
    ("mesh45", ["chip.core.axon_in.max_axons=512"]),
    ("mesh45", ["chip.core.synapse.memory=2 KiB"]),
    ("mesh45", ["chip.core.axon_out.max_fanout_entries=100"]),
    ("cim_rram_1t1r", ["chip.core.soma.max_neurons=16", "map.row_parts=2"]),
    ("cim_rram_1t1r", ["chip.core.soma.max_neurons=16", "map.row_parts=1"]),
    ("cim_rram_1t1r", ["chip.core.soma.max_neurons=64", "map.row_parts=3", "map.min_slices=2"]),
]


def ask(d, cores, sets):
    mesh = [f"chip.noc.size=[{cores}, 1]", "chip.noc.cores_per_router=1", "chip.noc.topology=mesh"]
    code, _, err = spikeloom("map", f"{d}/run.yaml", *[a for s in mesh + sets for a in ("--set", s)])
    return code, err


def as_many_cores_as_it_says_are_enough():
    refused = 0
    with scratch() as d:
        for chip, sets in CASES:
            with open(f"{d}/run.yaml", "w") as f:
                f.write(RUN % (f"{GOLDEN}/digits_conv_q8.nir", GOLDEN, ROOT, chip))
            for have in (1, 2, 5, 9, 17):
                code, err = ask(d, have, sets)
                if code == 0:
                    continue
                need = re.match(r"spikeloom: does not fit: cores: need (\d+), have (\d+) \(the network\)", err)
                assert code == 4 and need, (chip, sets, have, code, err)
                assert int(need.group(2)) == have < int(need.group(1)), err
                refused += 1
                code, again = ask(d, int(need.group(1)), sets)
                assert code == 0, (chip, sets, have, err, again)
    assert refused > 20, refused


def all_that_a_neuron_lacks_is_told():
    with scratch() as d:
        with open(f"{d}/run.yaml", "w") as f:
            f.write(RUN % (f"{GOLDEN}/digits_conv_q8.nir", GOLDEN, ROOT, "mesh45"))
        code, err = ask(d, 4, ["chip.core.axon_in.max_axons=30", "chip.core.synapse.memory=100 bits"])
        assert code == 4 and "need 10" not in err and err.count("need") == 2 and "input axons" in err and "synapse memory" in err, err


if __name__ == "__main__":
    main([as_many_cores_as_it_says_are_enough, all_that_a_neuron_lacks_is_told])
