// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/noc_shape.hpp"
#include "base/fields.hpp"

namespace loom::arch {

/// Delays of an asynchronous router: whole multiples of the chip's time base.
struct AsyncSpec {
    double x = 0, x_minus = 0, y = 0, y_minus = 0, z = 0, z_minus = 0;
    double local = 0;
    double handshake_x = 0, handshake_x_minus = 0;
    double handshake_y = 0, handshake_y_minus = 0;
    double handshake_z = 0, handshake_z_minus = 0;
    double handshake_local = 0;
};
template <class V>
void fields(V& v, AsyncSpec& s) {
    const auto time = [&](const char* name, double& ps, const char* doc) {
        v(name, ps, {.doc = doc, .unit = Unit::Time, .min = 0});
    };
    time("x", s.x, "a hop in x, from buffer to buffer");
    time("x_minus", s.x_minus, "a hop against x; 0: as in x");
    time("y", s.y, "a hop in y; 0: as in x");
    time("y_minus", s.y_minus, "a hop against y; 0: as in y");
    time("z", s.z, "a hop in z or over another link; 0: as in x");
    time("z_minus", s.z_minus, "a hop against z; 0: as in z");
    time("local", s.local,
         "from the last router's buffer to the core, two units of the time base or more; 0: "
         "noc.local_latency");
    time("handshake_x", s.handshake_x,
         "time from one flit to the next on a link in x; 0: one unit of the time base");
    time("handshake_x_minus", s.handshake_x_minus, "the same against x; 0: as in x");
    time("handshake_y", s.handshake_y, "the same in y; 0: as in x");
    time("handshake_y_minus", s.handshake_y_minus, "the same against y; 0: as in y");
    time("handshake_z", s.handshake_z, "the same in z and others; 0: as in x");
    time("handshake_z_minus", s.handshake_z_minus, "the same against z; 0: as in z");
    time("handshake_local", s.handshake_local, "the same to a core; 0: as in x");
}

struct RouterSpec {
    std::string kind = "vc";
    std::string pipeline = "P2";
    std::optional<std::uint64_t> route_cycles;
    std::optional<bool> speculative;
    std::uint64_t switch_cycles = 1;
    std::uint64_t vcs = 4;
    std::uint64_t buffer = 8;
    std::uint64_t classes = 1;
    std::string vc_allocator = "separable_input_first";
    std::string switch_allocator = "separable_input_first";
    std::string arbiter = "round_robin";
    std::uint64_t iterations = 1;
    std::uint64_t wait1 = 480;
    std::uint64_t wait2 = 0;
    std::uint64_t reinject = 0;
    std::uint64_t slots = 0;
    AsyncSpec async;
};
template <class V>
void fields(V& v, RouterSpec& s) {
    v("kind", s.kind,
      {.doc = "vc (credits, wormhole), async (delays in ps), handshake (alternating-bit), deflection "
              "(bufferless), timeout (drops), "
              "scheduled (static slots)"});
    v("pipeline", s.pipeline, {.doc = "P2 (speculative), P3 or P4: 3, 4, 5 cycles per hop with the link"});
    v("route_cycles", s.route_cycles,
      {.doc = "cycles of route computation; unset: that of the pipeline", .max = 16});
    v("speculative", s.speculative,
      {.doc = "VC and switch allocation in one cycle; unset: that of the pipeline"});
    v("switch_cycles", s.switch_cycles, {.doc = "cycles of switch traversal", .min = 1, .max = 16});
    v("vcs", s.vcs, {.doc = "virtual channels per port", .min = 1, .max = 64});
    v("buffer", s.buffer, {.doc = "flits per virtual channel", .min = 1, .max = 4096});
    v("classes", s.classes,
      {.doc = "message classes: each has an equal share of the VCs for itself", .min = 1, .max = 64});
    v("vc_allocator", s.vc_allocator,
      {.doc = "separable_input_first, separable_output_first, islip or wavefront"});
    v("switch_allocator", s.switch_allocator,
      {.doc = "separable_input_first, separable_output_first, islip or wavefront"});
    v("arbiter", s.arbiter, {.doc = "round_robin, matrix or age (oldest packet first)"});
    v("iterations", s.iterations, {.doc = "iterations of islip", .min = 1, .max = 16});
    v("wait1", s.wait1,
      {.doc = "timeout router: cycles a blocked packet waits for its port",
       .unit = Unit::CycleCount,
       .max = 1e12});
    v("wait2", s.wait2,
      {.doc = "timeout router: further cycles for the emergency route; 0: none",
       .unit = Unit::CycleCount,
       .max = 1e12});
    v("reinject", s.reinject,
      {.doc = "timeout router: cycles after which a dropped packet is injected again; 0: it is lost",
       .unit = Unit::CycleCount,
       .max = 1e12});
    v("async", s.async, {.doc = "asynchronous router: its delays"});
    v("slots", s.slots,
      {.doc = "scheduled router: slots of the table; 0: as many as the flows need", .max = 65536});
}

/// One pair of links of a graph.
struct GraphLinkSpec {
    std::vector<std::uint64_t> between;
    std::uint64_t latency = 0;
    std::uint64_t width = 0;
};
template <class V>
void fields(V& v, GraphLinkSpec& s) {
    v("between", s.between, {.doc = "two routers", .required = true});
    v("latency", s.latency, {.doc = "cycles, both ways; 0: link_latency", .unit = Unit::CycleCount});
    v("width", s.width, {.doc = "bits per transfer; 0: link_width", .unit = Unit::Memory});
}

/// Several chips with the same fabric, joined by serial links that all channels of an edge share.
struct ChipsSpec {
    std::vector<std::uint64_t> grid{1, 1};
    std::uint64_t latency = 8;
    std::uint64_t width = 0;
    double period = 0;
};
template <class V>
void fields(V& v, ChipsSpec& s) {
    v("grid", s.grid, {.doc = "chips in x and y", .min = 1, .max = 64});
    v("latency", s.latency, {.doc = "cycles over a bridge", .unit = Unit::CycleCount, .min = 1});
    v("width", s.width, {.doc = "bits per transfer of a bridge; 0: a flit", .unit = Unit::Memory});
    v("period", s.period, {.doc = "clock of a bridge; 0: that of the routers", .unit = Unit::Time, .min = 0});
}

struct FaultSpec {
    std::vector<std::vector<std::uint64_t>> links;
    std::vector<std::uint64_t> routers;
    double loss = 0;
    std::uint64_t seed = 1;
};
template <class V>
void fields(V& v, FaultSpec& s) {
    v("links", s.links, {.doc = "dead links as pairs of routers, both ways"});
    v("routers", s.routers, {.doc = "dead routers"});
    v("loss", s.loss,
      {.doc = "probability that a flit is damaged on a link; its packet is dropped", .min = 0, .max = 1});
    v("seed", s.seed, {.doc = "of the lost flits", .max = kAnyWhole});
}

struct MulticastSpec {
    std::string style = "unicast";
    std::uint64_t table_entries = 1024;
    bool minimise = true;
};
template <class V>
void fields(V& v, MulticastSpec& s) {
    v("style", s.style,
      {.doc = "unicast (repeated), tree (copied in the routers), relay (core to core), region (box, then "
              "filter) or "
              "table (key/mask)"});
    v("table_entries", s.table_entries, {.doc = "entries of a router's key/mask table", .min = 1});
    v("minimise", s.minimise, {.doc = "make the tables smaller when they do not fit"});
}

struct NocSpec {
    std::string topology = "mesh";
    std::vector<std::uint64_t> size{4, 4};
    std::uint64_t cores_per_router = 1;
    std::string routing = "auto";
    bool check_deadlock = true;
    std::uint64_t link_latency = 1;
    std::uint64_t link_latency_y = 0;
    std::uint64_t link_latency_z = 0;
    std::uint64_t local_latency = 1;
    std::uint64_t flit_bits = 32;
    std::uint64_t link_width = 0;
    double link_period = 0;
    double link_length = 0;
    double link_length_y = 0;
    double link_length_z = 0;
    double local_length = 0;
    std::uint64_t address_bits = 0;
    std::vector<GraphLinkSpec> links;
    ChipsSpec chips;
    FaultSpec faults;
    MulticastSpec multicast;
    RouterSpec router;

    /// Who knows what the topology's name means; outlives the specification. nullptr: every size is that of a
    /// grid, which is enough for a mesh.
    const NocShapes* shapes = nullptr;
    /// The network before it is built. Cost: a look-up by name, so ask once.
    NocShape shape() const;
};
template <class V>
void fields(V& v, NocSpec& s) {
    v("topology", s.topology,
      {.doc = "kind of network, such as mesh, torus, ring, tree or graph; docs/how-to/network-alone.md lists "
              "all"});
    v("size", s.size,
      {.doc = "what the topology asks for: routers per dimension of a grid, arity and levels of a tree, "
              "otherwise the number of routers; docs/how-to/network-alone.md lists all",
       .min = 1});
    v("cores_per_router", s.cores_per_router, {.doc = "cores of a tile", .min = 1, .max = 16});
    v("routing", s.routing,
      {.doc = "auto (that of the topology), xy and other orders of the dimensions, relative, west_first, "
              "north_last, negative_first, odd_even, adaptive, up_down, table"});
    v("check_deadlock", s.check_deadlock,
      {.doc = "refuse a routing that can deadlock; false: run it, the watchdog shows what happens"});
    v("link_latency", s.link_latency,
      {.doc = "cycles on a link (in x, and in y and z unless set)", .unit = Unit::CycleCount, .min = 1});
    v("link_latency_y", s.link_latency_y,
      {.doc = "cycles on a link in y; 0: as in x", .unit = Unit::CycleCount});
    v("link_latency_z", s.link_latency_z,
      {.doc = "cycles on a link in z; 0: as in x", .unit = Unit::CycleCount});
    v("local_latency", s.local_latency,
      {.doc = "cycles on the link from router to core", .unit = Unit::CycleCount, .min = 1});
    v("flit_bits", s.flit_bits, {.doc = "width of a flit", .unit = Unit::Memory, .min = 8, .max = 65536});
    v("link_width", s.link_width,
      {.doc = "bits per transfer on a link; 0: a flit. Less: a flit takes several transfers",
       .unit = Unit::Memory});
    v("link_period", s.link_period,
      {.doc = "clock of the links; 0: that of the routers. Else two router cycles more to cross over",
       .unit = Unit::Time,
       .min = 0});
    v("link_length", s.link_length,
      {.doc = "length of a link (in x, and of the others unless set), for prices per mm",
       .unit = Unit::Length,
       .min = 0});
    v("link_length_y", s.link_length_y,
      {.doc = "length of a link in y; 0: as in x", .unit = Unit::Length, .min = 0});
    v("link_length_z", s.link_length_z,
      {.doc = "length of a link in z; 0: as in x", .unit = Unit::Length, .min = 0});
    v("local_length", s.local_length,
      {.doc = "length of the link from router to core", .unit = Unit::Length, .min = 0});
    v("address_bits", s.address_bits,
      {.doc = "relative routing: bits of a signed dx or dy; 0: as many as it takes", .max = 32});
    v("links", s.links, {.doc = "graph: its links"});
    v("chips", s.chips, {.doc = "mesh: several chips joined by bridges"});
    v("faults", s.faults, {.doc = "dead links and routers, lost flits"});
    v("multicast", s.multicast, {.doc = "how one packet reaches several cores"});
    v("router", s.router, {.doc = "the router"});
}

}  // namespace loom::arch

namespace loom {
extern template const ValueType& type_of<arch::NocSpec>();  // compiled once
}
