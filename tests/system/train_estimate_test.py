# SPDX-License-Identifier: Apache-2.0
"""`spikeloom train --fidelity estimate`: the shipped setting, variants, layers of one's own, files, bad input."""
import csv
import json
import os

from support import ROOT, main, scratch, spikeloom

SHIPPED = f"{ROOT}/configs/train/sata_vgg5.yaml"
GOLDEN = f"{ROOT}/tests/golden/sata"


def estimate(file, *args, expect=0):
    code, out, err = spikeloom("train", file, "--fidelity", "estimate", *args)
    assert code == expect, f"exit code {code}, expected {expect}: {err}"
    return out if expect == 0 else err


def report(file, *args):
    return json.loads(estimate(file, "--json", *args))


def sets(**keys):
    return [x for k, v in keys.items() for x in ("--set", f"estimate.{k.replace('__', '.')}={v}")]


def file_of(d, text):
    with open(f"{d}/train.yaml", "w", encoding="utf-8") as f:
        f.write(text)
    return f"{d}/train.yaml"


def shipped_setting():
    out = estimate(SHIPPED)
    for line in ("total    4798986139.142863\n", "forward  compute 625845.2874271321, memory 249946931.68477872, total 250572776.97220585\n"):
        assert line in out, out
    j = report(SHIPPED)
    assert j["total_mac"] == 4798986139.142863 and len(j["terms"]) == 14 and j["cycles"] == 0
    assert abs(sum(t["percent"] for t in j["terms"].values()) - 100) < 1e-9
    assert abs(sum(layer["total_mac"] for layer in j["layers"]) / j["total_mac"] - 1) < 1e-12
    assert [d["number"] for d in j["defects"]] == ["1", "1a", "1b", "2", "3", "4", "4a", "4b", "5", "6", "7", "7a", "7b"]


def all_settings():
    n = 0
    with open(f"{GOLDEN}/training_summary_as_shipped.csv", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            j = report(SHIPPED, *sets(timesteps=row["T"], bits=row["fwd_bits"], sparsity__spikes=row["sp_s"], sparsity__error=row["sp_du"],
                                      sparsity__derivative=row["sp_df"]))
            assert j["total_mac"] == float(row["total"]), (row["config"], j["total_mac"])
            n += 1
    assert n == 8
    terms = {}
    with open(f"{GOLDEN}/training_breakdown_corrected.csv", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            terms.setdefault((row["T"], row["fwd_bits"], row["sp_s"], row["sp_du"]), {})[row["term"]] = float(row["energy_in_16b_MAC"])
    assert len(terms) == 6
    for (t, bits, sp_s, sp_du), want in terms.items():
        j = report(SHIPPED, *sets(variant="corrected", timesteps=t, bits=bits, sparsity__spikes=sp_s, sparsity__error=sp_du))
        assert {k: v["energy_mac"] for k, v in j["terms"].items()} == want


def defects_can_be_repaired_one_by_one():
    j = report(SHIPPED)
    for d in j["defects"]:
        one = report(SHIPPED, *sets(repair=json.dumps(d["repaired"])))
        assert abs(one["total_mac"] - j["total_mac"] - d["effect_mac"]) < 1, d
    every = [x for d in j["defects"] if len(d["number"]) > 1 or d["number"] in "2356" for x in d["repaired"]]
    assert len(every) == 10
    all_listed, repaired = report(SHIPPED, *sets(repair=json.dumps(every))), report(SHIPPED, *sets(variant="repaired"))
    assert all_listed["total_mac"] == repaired["total_mac"] and repaired["cycles"] > 0


def layers_and_measured_activity():
    with scratch() as d:
        layers = """  layers:
    - {kind: conv, in_channels: 1, out_channels: 8, kernel: 3, padding: 1, in_height: 8, in_width: 8}
    - {kind: out_linear, in: 128, out: 10}
"""
        file = file_of(d, "estimate:\n  variant: repaired\n  timesteps: 8\n  bits: 16\n  batch: 32\n" + layers +
                       "  activity: [{spikes: 1, error: 1, derivative: 0.5}, {spikes: 0.25, error: 0.5, derivative: 1}]\n")
        j = report(file)
        counts = [layer["counts"] for layer in j["layers"]]
        # 3x3 taps on 8x8 with padding 1: (3 x 8 - 2)^2 pairs per channel
        assert counts[0]["mac_fwd"] == 8 * 8 * 22 ** 2 and counts[1]["mac_fwd"] == 8 * 0.25 * 1280, counts
        assert counts[0]["mac_bwd"] == 0 and counts[1]["mac_bwd"] == 8 * 0.5 * 0.5 * 1280
        code, out, err = spikeloom("validate", file)
        assert code == 0 and "valid (train file)" in out, err


def files_and_checks():
    with scratch() as d:
        out = estimate(SHIPPED, "-o", f"{d}/o")
        assert sorted(os.listdir(f"{d}/o")) == ["config.resolved.yaml", "manifest.json", "stats.json", "summary.txt"]
        assert open(f"{d}/o/summary.txt", encoding="utf-8").read() == out
        assert report(f"{d}/o/config.resolved.yaml") == json.load(open(f"{d}/o/stats.json", encoding="utf-8"))
        assert estimate(SHIPPED) == out
    assert spikeloom("train", SHIPPED, "--fidelity", "estimate", "--fail-if", "total_mac > 5e9")[0] == 0
    code, _, err = spikeloom("train", SHIPPED, "--fidelity", "estimate", "--fail-if", "terms.dram_wup.percent > 70")
    assert code == 1 and "check failed" in err, err
    assert spikeloom("train", SHIPPED, "--fidelity", "guess")[0] == 2


def tables_of_the_manual():
    """docs/reference/validation-training.md has what the program prints."""
    rows = []
    settings = [("shipped", 4, 2, 1), ("shipped", 4, 8, 1), ("shipped", 8, 8, 1), ("shipped", 8, 16, 1), ("shipped", 8, 8, 0), ("shipped", 4, 2, 0),
                ("shipped", 1, 8, 1), ("shipped", 2, 8, 1), ("corrected", 4, 2, 1), ("corrected", 4, 8, 1), ("corrected", 8, 8, 1), ("corrected", 8, 8, 0),
                ("corrected", 8, 16, 1), ("corrected", 8, 16, 0)]
    for variant, t, bits, sparse in settings:
        j = report(SHIPPED, *sets(variant=variant, timesteps=t, bits=bits, sparsity__spikes=0.9 * sparse, sparsity__error=0.7 * sparse,
                                  sparsity__derivative=0.6 * sparse))
        phases = " | ".join(f"{p['compute_mac'] / 1e6:.3f} / {p['memory_mac'] / 1e6:.1f}" for p in j["phases"].values())
        rows.append(f"| {variant} | {t} | {bits} | {'.9 / .7 / .6' if sparse else 'dense'} | {phases} | {j['total_mac']!r} |")
    rows += [f"| {d['number']} | {d['what']} | {d['effect_mac']:.1f} | {d['effect_percent']:.4f} |" for d in report(SHIPPED)["defects"]]
    for batch in (1, 32):
        rows.append(f"{report(SHIPPED, *sets(variant='repaired', batch=batch))['total_mac']:,.0f}")
    with open(f"{ROOT}/docs/reference/validation-training.md", encoding="utf-8") as f:
        text = f.read()
    missing = [row for row in rows if row not in text]
    assert not missing, "docs/reference/validation-training.md lacks\n" + "\n".join(missing)


def bad_input():
    cases = [
        ("estimate: {network: vgg6}", ":1:21: estimate.network: unknown `vgg6`; did you mean 'vgg5'?"),
        ("estimate: {network: vgg5, timestep: 4}", ":1:27: estimate.timestep: unknown key; did you mean 'timesteps'?"),
        ("estimate: {network: vgg5, timesteps: 0}", "estimate.timesteps: must be >= 1"),
        ("estimate: {network: vgg5, bits: 32}", "estimate.bits: must be <= 16"),
        ("estimate: {network: vgg5, variant: shiped}", "did you mean 'shipped'?"),
        ("estimate: {network: vgg5, model: h2learn}", "estimate.model: 'h2learn' is not one of sata"),
        ("estimate: {network: vgg5, repair: [no_tim]}", "estimate.repair.0: 'no_tim' is not one of"),
        ("estimate: {network: vgg5, sparsity: {spikes: 1.5}}", "estimate.sparsity.spikes: must be <= 1"),
        ("estimate: {network: vgg5, sparsity: {spikes: nan}}", "estimate.sparsity.spikes"),
        ("estimate: {network: vgg5, activity: [{spikes: 1}]}", "estimate.activity: 1 entries for 5 layers"),
        ("estimate: {network: vgg5, energies: {mul: 0}}", "estimate.energies.mul: must be >= "),
        ("estimate: {}", "estimate.network: missing"),
        ("estimate: 3", "estimate: expected a map"),
        ("estimates: {network: vgg5}", ":1:1: estimates: unknown key; did you mean 'estimate'?"),
        ("network: {file: a.nir}", "is a run file, for `spikeloom run`"),
        ("estimate: {network: vgg5, layers: [{kind: linear, in: 1, out: 1}]}", "estimate.layers: given beside `network`"),
        ("estimate: {layers: [{kind: linear, in: 4}]}", ":1:21: estimate.layers.0.out: missing"),
        ("estimate: {layers: [{kind: conv, in_channels: 1, out_channels: 1, kernel: 5, in_height: 3, in_width: 9}]}",
         "estimate.layers.0.kernel: 5 is larger than the padded input, 3"),
        ("estimate: {layers: [{kind: conv, in_channels: 1, out_channels: 1, kernel: 3, stride: 0, in_height: 3, in_width: 3}]}",
         "estimate.layers.0.stride: must be >= 1"),
        ("estimate: {layers: [{kind: pool}]}", "estimate.layers.0.kind: 'pool' is not one of conv, linear, out_linear"),
        ("estimate: {layers: [{kind: linear, in: 99999999999999999999, out: 1}]}", "estimate.layers.0.in"),
    ]
    with scratch() as d:
        for text, want in cases:
            err = estimate(file_of(d, text + "\n"), "-o", f"{d}/o", expect=3)
            assert want in err and err.count("\n") == 1, f"{text}: {err}"
            assert os.listdir(d) == ["train.yaml"]
        # the largest that is accepted: no overflow, no hang
        most = 1 << 24
        big = f"{{kind: conv, in_channels: {most}, out_channels: {most}, kernel: {most}, padding: {most}, in_height: {most}, in_width: {most}}}"
        j = report(file_of(d, f"estimate: {{timesteps: 1000000, batch: 1000000000, variant: repaired, layers: [{big}, {big}]}}\n"))
        assert 0 < j["total_mac"] < 1e80
        assert estimate(f"{d}/none.yaml", expect=6)


if __name__ == "__main__":
    main([shipped_setting, all_settings, defects_can_be_repaired_one_by_one, layers_and_measured_activity, files_and_checks,
          tables_of_the_manual, bad_input])
