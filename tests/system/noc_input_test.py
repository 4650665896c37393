# SPDX-License-Identifier: Apache-2.0
"""Bad input of `spikeloom noc`: each case gives its one-line error and exit code, and leaves nothing behind. The expected
text is what stands after 'spikeloom: '; {d} is the scratch directory, a trailing * stands for any rest."""
import os

from support import main, spikeloom
from refusals import refused

NOC = """noc:     {topology: mesh, size: [4, 4], routing: xy, link_latency: 1,
          router: {pipeline: P2, vcs: 4, buffer: 8, arbiter: round_robin}}
traffic: {pattern: uniform, rate: 0.2, packet_size: 1, injection: bernoulli}
measure: {sample: 100, seeds: [1, 2]}
"""


def write(d, name, text):
    with open(f"{d}/{name}", "w", encoding="utf-8") as f:
        f.write(text)


def edit(*changes):
    """old, new, old, new, ..."""
    def f(d):
        text = NOC
        for old, new in zip(changes[::2], changes[1::2]):
            assert old in text, old
            text = text.replace(old, new)
        write(d, "noc.yaml", text)
    return f


def trace(text):
    def f(d):
        edit("pattern: uniform", "pattern: trace, file: t.csv")(d)
        write(d, "t.csv", text)
    return f


def setting(*pairs):
    return [x for p in pairs for x in ("--set", p)]


def nothing(d):
    pass


AT = "{d}/noc.yaml"
# name, preparation, arguments, exit code, error
CASES = [
    ("no file", lambda d: os.remove(f"{d}/noc.yaml"), [], 6, AT + ": cannot open file"),
    ("malformed yaml", edit("seeds: [1, 2]}", "seeds: [1, 2"), [], 3, AT + ":5:1: *"),
    ("unknown section", edit("measure:", "meassure:"), [], 3, AT + ":4:1: meassure: unknown key; did you mean 'measure'?"),
    ("unknown key", edit("link_latency", "link_latensy"), [], 3,
     AT + ":1:54: noc.link_latensy: unknown key; did you mean 'link_latency'?"),
    # the router
    ("zero VCs", edit("vcs: 4", "vcs: 0"), [], 3, AT + ":2:39: noc.router.vcs: must be >= 1 (got 0)"),
    ("too many VCs", edit("vcs: 4", "vcs: 65"), [], 3, AT + ":2:39: noc.router.vcs: must be <= 64 (got 65)"),
    ("negative buffer", edit("buffer: 8", "buffer: -8"), [], 3, AT + ":2:50: noc.router.buffer: must be >= 1 (got -8)"),
    ("unknown pipeline", edit("P2", "P5"), [], 3, AT + ":2:30: noc.router.pipeline: unknown `P5`; known: P2, P3, P4"),
    ("unknown arbiter", edit("round_robin", "fair"), [], 3, AT + ":2:62: noc.router.arbiter: unknown `fair`*"),
    ("unknown allocator", nothing, setting("noc.router.vc_allocator=islop"), 3,
     "--set noc.router.vc_allocator: noc.router.vc_allocator: unknown `islop`*"),
    ("unknown kind", nothing, setting("noc.router.kind=vcc"), 3, "--set noc.router.kind: noc.router.kind: unknown `vcc`*"),
    ("classes that do not share", nothing, setting("noc.router.classes=3"), 3,
     "--set noc.router.classes: noc.router.classes: 3 classes do not share 4 VCs evenly"),
    ("asynchronous without times", nothing, setting("noc.router.kind=async"), 3,
     AT + ":2:19: noc.router.async.x: an asynchronous router needs the time of a hop"),
    # the topology
    ("unknown topology", edit("mesh", "mush"), [], 3, AT + ":1:21: noc.topology: unknown `mush`; did you mean 'mesh'?"),
    ("no size", edit("[4, 4]", "[]"), [], 3, AT + ":1:33: noc.size: a mesh needs 1 to 3 numbers; found 0"),
    ("a size of 0", edit("[4, 4]", "[4, 0]"), [], 3, AT + ":1:37: noc.size.1: must be >= 1 (got 0)"),
    ("a negative size", edit("[4, 4]", "[-4, 4]"), [], 3, AT + ":1:34: noc.size.0: must be >= 1 (got -4)"),
    ("a huge size", edit("[4, 4]", "[4096, 4096, 4096]"), [], 3, AT + ":1:33: noc.size: 68719476736 routers are more than 2^20"),
    ("four dimensions", edit("[4, 4]", "[2, 2, 2, 2]"), [], 3, AT + ":1:33: noc.size: a mesh needs 1 to 3 numbers; found 4"),
    ("more buffers than memory", edit("[4, 4]", "[1024, 1024]", "vcs: 4", "vcs: 64"), [], 3,
     AT + ":1:33: noc.size: 1048576 routers with 6 ports and 64 virtual channels need 402653184 buffers; the limit is 67108864"),
    ("a text as size", edit("[4, 4]", "big"), [], 3, AT + ":1:33: noc.size: expected a sequence, got 'big'*"),
    ("disconnected graph", edit("mesh, size: [4, 4], routing: xy", "graph, size: [4], links: [{between: [0, 1]}, {between: [2, 3]}]"), [],
     3, AT + ":1:46: noc.links: router 2 cannot be reached from router 0"),
    ("a link to nowhere", edit("mesh, size: [4, 4], routing: xy", "graph, size: [2], links: [{between: [0, 2]}]"), [], 3,
     AT + ":1:46: noc.links: router 2 is not in 0..1"),
    ("wrong unit", nothing, setting("noc.flit_bits=32 ns"), 3, "--set noc.flit_bits: noc.flit_bits: *"),
    ("no unit", nothing, setting("noc.link_period=3"), 3, "--set noc.link_period: noc.link_period: expected a time with a unit*"),
    ("slow links", nothing, setting("noc.link_period=1 s"), 3, AT + ":1:10: noc.link_width: a flit takes 1 transfers of 1000000000000 ps; the limit is 4 ms"),
    ("host off the mesh", nothing, setting("io.router=[4, 0]"), 3,
     "--set io.router: io.router: [4, 0] is no router of this 4 x 4 mesh"),
    # routing
    ("unknown routing", edit("routing: xy", "routing: xx"), [], 3, AT + ":1:50: noc.routing: unknown `xx`*"),
    ("routing of another topology", edit("mesh", "torus", "routing: xy", "routing: odd_even"), [], 3,
     AT + ":1:51: noc.routing: odd_even needs a mesh of 2 dimensions"),
    ("deadlock on a ring", edit("mesh, size: [4, 4], routing: xy", "ring, size: [4], routing: table"), [], 3,
     AT + ":1:47: noc.routing: table can deadlock on this ring with 4 VCs per message class (up_down cannot): router *"),
    ("deadlock for want of VCs", edit("mesh", "torus", "vcs: 4", "vcs: 1"), [], 3,
     AT + ":1:51: noc.routing: xy can deadlock on this 4 x 4 torus with 1 VC per message class (up_down cannot): "
     "router (0, 0) +x -> router (1, 0) +x -> router (2, 0) +x -> router (3, 0) +x -> router (0, 0) +x"),
    ("no VC to escape", edit("routing: xy", "routing: adaptive", "vcs: 4", "vcs: 1"), [], 3, "*noc.router.vcs: adaptive *"),
    # faults
    ("a dead router that is none", nothing, setting("noc.faults.routers=[16]"), 3,
     "--set noc.faults.routers: noc.faults.routers: router 16 is not in 0..15"),
    ("a dead link that is none", nothing, setting("noc.faults.links=[[0, 5]]"), 3,
     "--set noc.faults.links: noc.faults.links: there is no link between 0 and 5"),
    ("loss above 1", nothing, setting("noc.faults.loss=1.5"), 3, "--set noc.faults.loss: noc.faults.loss: must be <= 1 (got 1.5)"),
    # multicast
    ("unknown style", nothing, setting("noc.multicast.style=treee"), 3, "--set noc.multicast.style: noc.multicast.style: unknown*"),
    ("a buffer smaller than copied packets", edit("uniform", "fan_out, fan_out: 2", "packet_size: 1", "packet_size: 9"),
     setting("noc.multicast.style=tree"), 3,
     AT + ":2:50: noc.router.buffer: 8 flits; packets of 9 flits are copied in the routers and must fit a buffer"),
    ("tables that do not fit", edit("uniform", "fan_out, fan_out: 6"),
     setting("noc.multicast.style=table", "noc.multicast.table_entries=1", "noc.multicast.minimise=false"), 4,
     "does not fit: key/mask table entries: need *"),
    # the traffic
    ("rate above 1", edit("rate: 0.2", "rate: 1.2"), [], 3, AT + ":3:35: traffic.rate: must be <= 1 (got 1.2)"),
    ("negative rate", edit("rate: 0.2", "rate: -0.2"), [], 3, AT + ":3:35: traffic.rate: must be >= 0 (got -0.2)"),
    ("no number", edit("rate: 0.2", "rate: .nan"), [], 3, AT + ":3:35: traffic.rate: expected a number*"),
    ("NaN", edit("rate: 0.2", "rate: nan"), [], 3, AT + ":3:35: traffic.rate: must be finite (got 'nan')"),
    ("infinite", edit("rate: 0.2", "rate: inf"), [], 3, AT + ":3:35: traffic.rate: must be finite (got 'inf')"),
    ("unknown pattern", edit("uniform", "unifrom"), [], 3, AT + ":3:20: traffic.pattern: unknown `unifrom`; did you mean 'uniform'?"),
    ("unknown injection", edit("bernoulli", "bernouli"), [], 3,
     AT + ":3:67: traffic.injection: unknown `bernouli`; did you mean 'bernoulli'?"),
    ("bits of 12 nodes", edit("[4, 4]", "[4, 3]", "uniform", "bit_reverse"), [], 3,
     AT + ":3:20: traffic.pattern: bit_reverse needs a power of two of nodes, there are 12"),
    ("transposed rectangle", edit("[4, 4]", "[4, 3]", "uniform", "transpose"), [], 3,
     AT + ":3:20: traffic.pattern: transpose needs a square grid"),
    ("tornado on a star", edit("mesh, size: [4, 4], routing: xy", "star, size: [4]", "uniform", "tornado"), [], 3,
     AT + ":3:20: traffic.pattern: tornado needs a grid, not a star"),
    ("no hotspots", edit("uniform", "hotspot"), [], 3, AT + ":3:10: traffic.hotspots: a hotspot pattern needs [node, weight] entries"),
    ("a hotspot out of range", edit("uniform", "hotspot, hotspots: [[16, 1]]"), [], 3,
     AT + ":3:39: traffic.hotspots: 16 is no node; there are 0..15"),
    ("a hotspot between nodes", edit("uniform", "hotspot, hotspots: [[1.5, 1]]"), [], 3,
     AT + ":3:39: traffic.hotspots: 1.5 is no node; there are 0..15"),
    ("a weight of 0", edit("uniform", "hotspot, hotspots: [[1, 0]]"), [], 3, AT + ":3:39: traffic.hotspots: the weight 0 is not in*"),
    ("half a pair", edit("uniform", "pairs, pairs: [[1]]"), [], 3,
     AT + ":3:34: traffic.pairs: an entry is [source, destination, weight]"),
    ("no pairs", edit("uniform", "pairs"), [], 3, AT + ":3:10: traffic.pairs: needs [source, destination, weight] entries"),
    ("fan-out to more than there are", edit("uniform", "fan_out, fan_out: 16, self: false"), [], 3,
     AT + ":3:38: traffic.fan_out: 16 destinations of 15 nodes"),
    ("a distribution of nothing", edit("uniform", "fan_out, fan_outs: [[0, 1]]"), [], 3,
     AT + ":3:39: traffic.fan_outs: 0 destinations of 16 nodes"),
    ("more layers than cores", edit("uniform", "layers, layers: [8, 9]"), [], 3,
     AT + ":3:36: traffic.layers: 2 layers with 17 cores; needs 2 layers or more, on 16 cores"),
    ("one layer", edit("uniform", "layers, layers: [8]"), [], 3, AT + ":3:36: traffic.layers: 1 layers with 8 cores; *"),
    ("huge layers", edit("uniform", "layers, layers: [18446744073709551615, 5]"), [], 3, AT + ":3:36: traffic.layers: *"),
    ("an empty packet", edit("packet_size: 1", "packet_size: 0"), [], 3, AT + ":3:53: traffic.packet_size: must be >= 1 (got 0)"),
    ("half a mix", edit("packet_size: 1", "packet_sizes: [[4]]"), [], 3,
     AT + ":3:54: traffic.packet_sizes: an entry is [flits, weight]: 1 to 1024, more than 0"),
    ("an endless packet", edit("packet_size: 1", "packet_sizes: [[1e30, 1]]"), [], 3, AT + ":3:54: traffic.packet_sizes: *"),
    ("more classes than the network", nothing, setting("traffic.classes=[1, 1]"), 3,
     "--set traffic.classes: traffic.classes: 2 shares for 1 message classes (noc.router.classes)"),
    ("a negative share", nothing, setting("traffic.classes=[-1]"), 3, "--set traffic.classes: traffic.classes: -1 is no share"),
    ("no share at all", nothing, setting("traffic.classes=[0]"), 3, "--set traffic.classes: traffic.classes: all shares are 0"),
    ("bursts without flits", edit("bernoulli", "on_off", "rate: 0.2", "rate: 1e-300"), [], 3,
     AT + ":3:35: traffic.rate: 1e-300 is too little for bursts; on_off needs 0 or 1e-06 and more"),
    ("a place on a star", edit("mesh, size: [4, 4], routing: xy", "star, size: [4]", "bernoulli", "spatial"), [], 3,
     AT + ":3:67: traffic.injection: spatial needs a grid, not a star"),
    ("long packets in a timeout router", edit("packet_size: 1", "packet_size: 2"), setting("noc.router.kind=timeout"), 3,
     AT + ":3:53: traffic.packet_size: the timeout router carries packets of 1 flit, not 2"),
    ("several lengths in a schedule", edit("packet_size: 1", "packet_sizes: [[1, 1], [2, 1]]"), setting("noc.router.kind=scheduled"), 3,
     AT + ":3:54: traffic.packet_sizes: a flow of the scheduled router has packets of one length"),
    # traces
    ("no trace", edit("uniform", "trace"), [], 3, AT + ":3:10: traffic.file: pattern trace needs a CSV file"),
    ("a missing trace", edit("uniform", "trace, file: t.csv"), [], 6, "{d}/t.csv: cannot be read: No such file or directory"),
    ("an empty trace", trace(""), [], 3, "{d}/t.csv:1: is empty; expected a header: cycle,source,destination[,flits][,class]"),
    ("no header", trace("1,2,3\n"), [], 3, "{d}/t.csv:1: unknown column '1'*"),
    ("a column missing", trace("cycle,source\n"), [], 3, "{d}/t.csv:1: column 'destination' is missing"),
    ("a misspelt column", trace("cycle,sourse,destination\n"), [], 3, "{d}/t.csv:1: unknown column 'sourse'; did you mean 'source'?"),
    ("a short row", trace("cycle,source,destination\n1,2\n"), [], 3, "{d}/t.csv:2: 2 values, expected 3"),
    ("a text as cycle", trace("cycle,source,destination\nx,2,3\n"), [], 3,
     "{d}/t.csv:2: cycle 'x' is no whole number in 0..281474976710656"),
    ("a negative cycle", trace("cycle,source,destination\n-1,2,3\n"), [], 3, "{d}/t.csv:2: cycle '-1' is no whole number*"),
    ("a source out of range", trace("cycle,source,destination\n1,17,3\n"), [], 3, "{d}/t.csv:2: source '17' is no whole number in 0..16"),
    ("a destination out of range", trace("cycle,source,destination\n1,2,3;99\n"), [], 3,
     "{d}/t.csv:2: destination '99' is no whole number in 0..16"),
    ("an empty packet in a trace", trace("cycle,source,destination,flits\n1,2,3,0\n"), [], 3, "{d}/t.csv:2: a packet has 1 flit or more"),
    ("a class in a trace", trace("cycle,source,destination,class\n1,2,3,1\n"), [], 3, "{d}/t.csv:2: class '1' is no whole number in 0..0"),
    ("a binary trace", lambda d: (trace("")(d), open(f"{d}/t.csv", "wb").write(bytes(range(256)))), [], 3, "{d}/t.csv:1: unknown column *"),
    ("a directory as trace", lambda d: (edit("uniform", "trace, file: .")(d)), [], 6, "{d}/*: is a directory"),
    ("sweeping a trace", trace("cycle,source,destination\n1,2,3\n"), ["--sweep-load"], 2, "--sweep-load: a trace has no rate"),
    ("copies of a trace", trace("cycle,source,destination,flits\n1,2,3;4,9\n"), setting("noc.multicast.style=tree"), 3,
     AT + ":2:50: noc.router.buffer: 8 flits; packets of 9 flits are copied in the routers and must fit a buffer"),
    # the measurement
    ("no seeds", edit("[1, 2]", "[]"), [], 3, AT + ":4:31: measure.seeds: is empty; give one seed or more"),
    ("a seed that is none", edit("[1, 2]", "[one]"), [], 3, AT + ":4:32: measure.seeds.0: expected a whole number, got 'one'"),
    ("no cycles", edit("sample: 100", "sample: 0"), [], 3, AT + ":4:19: measure.sample: must be >= 1 (got 0)"),
    ("years", edit("sample: 100", "sample: 1000000000000"), [], 3,
     AT + ":4:10: measure.max_flits: 10000000000, but 23 samples of 1000000000000 cycles at this rate may deliver 7.36e+13 flits"),
    ("more than years", edit("sample: 100", "sample: 1e30"), [], 3, AT + ":4:19: measure.sample: *"),
    ("too much for a sweep", edit("sample: 100", "sample: 30000000"), ["--sweep-load"], 3,
     AT + ":4:10: measure.max_flits: 10000000000, but 23 samples of 30000000 cycles at this rate may deliver 1.1e+10 flits"),
    # the command line
    ("malformed --set", nothing, ["--set", "noc"], 2, "--set noc: expected key.path=value"),
    ("malformed --fail-if", nothing, ["--fail-if", "latency"], 2, "--fail-if 'latency': expected 'path op number'*"),
    ("unknown --fail-if", nothing, ["--fail-if", "latency.paket.mean > 1"], 2, "*the report has no 'latency.paket'; did you mean 'packet'?"),
    ("failing check", nothing, ["--fail-if", "latency.packet.mean > 1"], 1, "check failed: latency.packet.mean > 1 (is *"),
    ("a seed on the command line", nothing, ["--seed", "-1"], 2, None),
    ("no threads", nothing, ["--threads", "0"], 2, None),
    ("unwritable output", lambda d: write(d, "out", "a file"), [], 6,
     "{d}/out: exists and is not a result directory; choose another with -o"),
    ("output below a file", lambda d: write(d, "f", "a file"), ["-o", "{d}/f/out"], 6, "{d}/f/out: cannot be written: Not a directory"),
    ("more than bursts can carry", edit("injection: bernoulli", "injection: on_off, duty: 0.1"), [], 3,
     "*traffic.rate: 0.2 with packets of 1 flits is more than a packet per cycle in bursts of traffic.duty 0.1"),
    ("stuck in a window shorter than the watchdog's", edit("mesh, size: [4, 4], routing: xy", "torus, size: [8, 8], check_deadlock: false",
                                                           "vcs: 4, buffer: 8", "vcs: 1, buffer: 8", "rate: 0.2, packet_size: 1",
                                                           "rate: 0.9, packet_size: 16", "sample: 100", "sample: 1000, watchdog: 20000"), [], 5,
     "no flit moved for * cycles at cycle * flits are in the network: *"),
    ("what really gets stuck", edit("mesh, size: [4, 4], routing: xy", "torus, size: [6, 6], check_deadlock: false", "vcs: 4, buffer: 8",
                                    "vcs: 1, buffer: 2", "rate: 0.2, packet_size: 1", "rate: 0.9, packet_size: 16", "seeds: [1, 2]",
                                    "watchdog: 1000, seeds: [1, 2]",
                                    "sample: 100", "sample: 5000"), ["--threads", "2"], 5,
     "no flit moved for 1002 cycles at cycle * flits are in the network: * buffers wait for each other: router * -> the first; *"),
]


def validate_says_the_same(d, code, args, want, err):
    """What only a run can find aside."""
    if code != 3 or args:
        return None
    code, _, other = spikeloom("validate", f"{d}/noc.yaml")
    return None if code == 3 and (want is None or other == err) else f"validate says {code} {other!r} instead of {err!r}"


def corpus():
    refused(CASES, "noc", "noc.yaml", lambda d: write(d, "noc.yaml", NOC), validate_says_the_same)


if __name__ == "__main__":
    main([corpus])
