// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/fields.hpp"

namespace loom::noc {

/// What the endpoints of a network send when it runs alone.
struct TrafficSpec {
    std::string pattern = "uniform";
    double rate = 0.1;
    std::uint64_t packet_size = 1;
    std::vector<std::vector<double>> packet_sizes;
    std::string injection = "bernoulli";
    bool self = true;
    std::vector<std::vector<double>> hotspots;
    double background = 0;
    std::vector<std::vector<double>> pairs;
    std::uint64_t fan_out = 8;
    std::vector<std::vector<double>> fan_outs;
    std::vector<std::uint64_t> layers;
    std::uint64_t period = 1000;
    std::uint64_t radius = 2;
    double on = 100;
    double duty = 0.25;
    std::vector<double> classes;
    std::string file;
    std::uint64_t seed = 1;
};
template <class V>
void fields(V& v, TrafficSpec& s) {
    v("pattern", s.pattern,
      {.doc = "uniform, transpose, bit_complement, bit_reverse, shuffle, rotation, butterfly, tornado, "
              "neighbour, "
              "diagonal, permutation, hotspot, pairs, all_to_one, fan_out, layers or trace"});
    v("rate", s.rate, {.doc = "flits per node and cycle", .min = 0, .max = 1});
    v("packet_size", s.packet_size, {.doc = "flits of a packet", .min = 1, .max = 1024});
    v("packet_sizes", s.packet_sizes, {.doc = "mix instead: [flits, weight], ..."});
    v("injection", s.injection,
      {.doc =
           "bernoulli, on_off (bursts), periodic, timestep (everything at the start of a period) or spatial "
           "(the same, from the nodes around a place that moves from period to period)"});
    v("self", s.self, {.doc = "a node may send to itself"});
    v("hotspots", s.hotspots, {.doc = "hotspot: [node, weight], ..."});
    v("background", s.background,
      {.doc = "hotspot: share of packets with uniform destinations", .min = 0, .max = 1});
    v("pairs", s.pairs,
      {.doc = "pairs: [source, destination, weight], ...; a source's share of its packets"});
    v("fan_out", s.fan_out, {.doc = "fan_out: destinations of every node's packets", .min = 1});
    v("fan_outs", s.fan_outs, {.doc = "fan_out: a distribution instead: [destinations, weight], ..."});
    v("layers", s.layers,
      {.doc = "layers: cores per layer; every core sends to all of the next layer", .min = 1, .max = kAnyWhole});
    v("period", s.period,
      {.doc = "timestep, spatial: cycles from start to start",
       .unit = Unit::CycleCount,
       .min = 1,
       .max = 1e12});
    v("radius", s.radius,
      {.doc = "spatial: nodes up to so many steps away in x and in y are active", .max = 4096});
    v("on", s.on, {.doc = "on_off: mean length of a burst in cycles", .min = 1, .max = 1e9});
    v("duty", s.duty, {.doc = "on_off: share of the time in bursts", .min = 0.001, .max = 1});
    v("classes", s.classes, {.doc = "shares of the message classes (noc.router.classes)"});
    v("file", s.file,
      {.doc = "trace: CSV with cycle,source,destination[,flits][,class]; several destinations: 3;4;5; "
              "packets.csv of "
              "a run that records packets"});
    v("seed", s.seed, {.doc = "of sets, permutations and layers (the draws of packets: measure.seeds)", .max = kAnyWhole});
}

struct MeasureSpec {
    std::uint64_t sample = 10000;
    std::uint64_t warmup = 3;
    std::uint64_t samples = 3;
    std::uint64_t max_warmup = 10;
    std::uint64_t drain = 10;
    double latency_limit = 500;
    std::uint64_t watchdog = 50000;
    double max_flits = 1e10;
    std::vector<std::uint64_t> seeds{1};
};
template <class V>
void fields(V& v, MeasureSpec& s) {
    constexpr double kMostSamples = 1e6;
    v("sample", s.sample, {.doc = "cycles of a sample", .unit = Unit::CycleCount, .min = 1, .max = 1e12});
    v("warmup", s.warmup, {.doc = "samples before the measurement, at least", .max = kMostSamples});
    v("max_warmup", s.max_warmup,
      {.doc = "samples before the measurement, at most: it starts when the mean latency changes by less than "
              "5 %",
       .max = kMostSamples});
    v("samples", s.samples, {.doc = "samples measured", .min = 1, .max = kMostSamples});
    v("drain", s.drain,
      {.doc = "samples to wait for the packets born in the measurement, at most", .max = kMostSamples});
    v("latency_limit", s.latency_limit,
      {.doc = "mean packet latency above which a run is unstable", .min = 1});
    v("watchdog", s.watchdog,
      {.doc = "cycles without a flit moved: stuck", .unit = Unit::CycleCount, .min = 100, .max = 1e12});
    v("max_flits", s.max_flits,
      {.doc = "refuse a run that may deliver more flits than that per seed", .min = 1});
    v("seeds", s.seeds, {.doc = "one run per seed", .min = 0, .max = kAnyWhole});
}

}  // namespace loom::noc
