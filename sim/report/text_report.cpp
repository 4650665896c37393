// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <map>

#include "base/json/figures.hpp"
#include "sim/report/report.hpp"

namespace loom::stats {

namespace {

double number(const Json& j) {
    return j.is_number() ? j.get<double>() : 0.0;
}

std::string scaled(double value, std::array<const char*, 5> units) {
    std::size_t i = 0;
    while (std::abs(value) >= 999.5 && i + 1 < units.size()) {
        value /= 1000;
        ++i;
    }
    return fmt::format("{:.{}f} {}", value,
                       std::abs(value) >= 99.95   ? 0
                       : std::abs(value) >= 9.995 ? 1
                                                  : 2,
                       units[i]);
}

/// 12345 -> "12.3k"
std::string count_text(double n) {
    if (n == 0) return "-";
    if (n < 9999.5) return fmt::format("{:.{}f}", n, n < 99.95 && n != std::floor(n) ? 1 : 0);
    if (n < 999.5e3) return fmt::format("{:.1f}k", n / 1e3);
    return n < 999.5e6 ? fmt::format("{:.1f}M", n / 1e6) : fmt::format("{:.1f}G", n / 1e9);
}

/// What a key of stats.json means; keys of lists without their index.
class Descriptions {
  public:
    explicit Descriptions(const EventList& events) {
        text_ = {
            {"accuracy", "correct classifications over labelled samples"},
            {"samples", "inferences simulated"},
            {"undecided", "inferences whose output did not fire: no class, not correct"},
            {"values", "numbers other than 0 that became integers"},
            {"zeroed", "of these: became 0"},
            {"ties", "half way between two integers"},
            {"clipped", "beyond the range of the integers"},
            {"largest_error", "largest relative error"},
            {"mean_error", "mean relative error"},
            {"saturations.sums", "sums beyond the accumulator's width"},
            {"saturations.membranes", "membranes beyond the state's width"},
            {"saturations.converter_codes", "codes beyond the range of a converter"},
            {"saturations.partial_sums", "partial sums beyond their width"},
            {"saturations.total", "all of them"},
            {"lost.input_rounded", "values of the input that no integer of the chip is"},
            {"lost.packets_dropped", "deliveries that did not happen"},
            {"timestep", "of the chip; none: all in which nothing was active"},
            {"times", "inferences (none: timesteps) that the row is the sum of"},
            {"timesteps", "algorithmic timesteps of an inference"},
            {"chip_timesteps", "timesteps on the chip, pipeline included"},
            {"cycles.total", "simulated time of all inferences (cycles)"},
            {"cycles.per_sample_mean", "latency of an inference (cycles)"},
            {"cycles.per_sample_min", "shortest inference (cycles)"},
            {"cycles.per_sample_max", "longest inference (cycles)"},
            {"cycles.reset", "spent clearing state between inferences (cycles)"},
            {"cycles.barrier", "spent in barriers between timesteps (cycles)"},
            {"time.simulated_s", "simulated time (s)"},
            {"time.per_sample_s", "latency of an inference (s)"},
            {"ac", "synaptic operations on spikes"},
            {"mac", "synaptic operations on graded input"},
            {"offchip_mac", "multiply-accumulates computed by the host"},
            {"ann_mac", "multiply-accumulates of the same-shape ANN"},
            {"paper_pj", "additions and multiplications only, as papers count (pJ)"},
            {"rate_pj", "papers' formula: ANN MACs x firing rate x timesteps (pJ)"},
            {"ann_pj", "same-shape ANN by the papers' MAC price (pJ)"},
            {"ratio", "simulated energy over paper_pj"},
            {"flit_hops", "flits times links between routers"},
            {"cores_used", "cores with neurons"},
            {"cores_total", "cores of the chip"},
            {"routers_used", "routers with a core in use"},
            {"neurons", "neurons of the layer"},
            {"spikes", "spikes fired"},
            {"rate", "spikes per neuron and timestep"},
            {"total_pj", "energy, all categories (pJ)"},
            {"per_sample_pj", "energy of an inference (pJ)"},
            {"compute_pj", "arithmetic (pJ)"},
            {"memory_pj", "memories (pJ)"},
            {"noc_pj", "network on chip (pJ)"},
            {"control_pj", "queues and control (pJ)"},
            {"leakage_pj", "static power times time (pJ)"},
            {"dynamic_pj", "all counted events (pJ)"},
            {"cycles", "cycles of this timestep over all samples, barrier included"},
            {"area.total_mm2", "silicon of the parts with a figure in the price list (mm2)"},
            {"area.technology_nm", "feature size of the figures (nm)"},
            {"core_mm2", "one core (mm2)"},
            {"mm2", "all of them (mm2)"},
            {"um2", "one instance (um2)"},
            {"arrays.used", "compute-in-memory arrays with weights"},
            {"arrays.copies", "copies of a convolution's kernel, at most"},
            {"arrays.utilisation", "share of their cells that hold weights"},
            {"load.cycles", "programming all arrays with the network, cores side by side (cycles)"},
            {"load.time_s", "the same (s)"},
            {"load.energy_pj", "energy of that, not in energy.total_pj (pJ)"},
            {"devices.seeds", "chips that differ in their devices"},
            {"accuracy_mean", "over the chips"},
            {"accuracy_low", "95 % interval of the mean (Student's t)"},
            {"accuracy_high", "95 % interval of the mean (Student's t)"},
            {"cycles_per_sample_mean", "over the chips"},
            {"time_per_sample_s_mean", "over the chips (s)"},
            {"energy_per_sample_pj_mean", "over the chips (pJ)"},
        };
        for (const EventInfo& e : events) text_[e.name] = e.doc;
    }
    /// The longest end of the key that is known; empty when none is.
    std::string of(std::string key) const {
        while (true) {
            if (const auto it = text_.find(key); it != text_.end()) return it->second;
            const auto dot = key.find('.');
            if (dot == std::string::npos) return "";
            key = key.substr(dot + 1);
        }
    }

  private:
    std::map<std::string, std::string> text_;
};

void flatten(const Json& j, const std::string& path, const Descriptions& descriptions, std::string& out) {
    if (j.is_object()) {
        for (const auto& [key, value] : j.items())
            flatten(value, path.empty() ? key : path + "." + key, descriptions, out);
    } else if (j.is_array()) {
        for (std::size_t i = 0; i < j.size(); ++i)
            flatten(j[i], fmt::format("{}[{}]", path, i), descriptions, out);
    } else {
        const std::string doc = descriptions.of(path);
        const std::string value = j.is_string() ? j.get<std::string>() : j.is_null() ? "none" : j.dump();
        out += fmt::format("{:<56} {:>20}{}{}\n", path, value, doc.empty() ? "" : "  # ", doc);
    }
}

}  // namespace

std::string human_energy(double pj) {
    return scaled(pj, {"pJ", "nJ", "uJ", "mJ", "J"});
}
std::string human_time(double seconds) {
    return scaled(seconds * 1e12, {"ps", "ns", "us", "ms", "s"});
}

std::string stats_text(const Json& stats, const EventList& events) {
    std::string out;
    flatten(stats, "", Descriptions(events), out);
    return out;
}

std::string layers_csv(const Json& stats) {
    std::string out =
        "layer,kind,neurons,spikes,rate,ac,mac,offchip_mac,ann_mac,paper_pj,compute_pj,memory_pj,noc_pj,"
        "control_pj,"
        "total_pj,ratio\n";
    for (const Json& l : stats["layers"]) {
        const Json &o = l["ops"], &e = l["energy"];
        std::string name = l["name"].get<std::string>();
        if (name.find_first_of(",\"\n") != std::string::npos) name = Json(name).dump();
        out += fmt::format(
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", name, l["kind"].get<std::string>(),
            l["neurons"].dump(), l["spikes"].dump(), figure_csv(l["rate"]), o["ac"].dump(), o["mac"].dump(),
            o["offchip_mac"].dump(), o["ann_mac"].dump(), l["estimate"]["paper_pj"].dump(),
            e["compute_pj"].dump(), e["memory_pj"].dump(), e["noc_pj"].dump(), e["control_pj"].dump(),
            e["total_pj"].dump(), figure_csv(l["estimate"]["ratio"]));
    }
    return out;
}

namespace {

/// Chips of a design that differ in their devices.
std::string devices_text(const Json& d) {
    std::string out = fmt::format(
        "  {} chips that differ in their devices; 95 % intervals of the mean, range of single ones:\n",
        d["seeds"].dump());
    const auto interval = [&](const char* name, const std::string& key, auto text) {
        if (!d.contains(key)) return;
        out += fmt::format("    {:<9} {} to {} ({} to {})\n", name, text(number(d[key + "_low"])),
                           text(number(d[key + "_high"])), text(number(d[key + "_min"])),
                           text(number(d[key + "_max"])));
    };
    interval("accuracy", "accuracy", [](double x) { return fmt::format("{:.2f} %", 100 * x); });
    interval("cycles", "cycles_per_sample", [](double x) { return fmt::format("{:.0f}", x); });
    interval("time", "time_per_sample_s", [](double x) { return human_time(x); });
    interval("energy", "energy_per_sample_pj", [](double x) { return human_energy(x); });
    return out;
}

/// Percent with three digits: 0.0123 -> "1.23 %".
std::string percent(const Json& share) {
    return percent_text(share, "{:.3g} %");
}

/// What has been lost, in one line; empty when nothing was.
std::string lost_text(const Json& s) {
    std::vector<std::string> parts;
    for (const char* what : {"weights", "parameters"}) {
        const Json& l = s["lost"][what];
        if (number(l["mean_error"]) == 0) continue;
        std::string text = fmt::format("{} rounded by {} ({} at most)", what, percent(l["mean_error"]),
                                       percent(l["largest_error"]));
        if (number(l["zeroed"]) > 0)
            text += fmt::format(", {} of {} became 0", l["zeroed"].dump(), l["values"].dump());
        if (number(l["clipped"]) > 0) text += fmt::format(", {} clipped", l["clipped"].dump());
        parts.push_back(std::move(text));
    }
    const auto count = [&](const Json& n, const char* what) {
        if (number(n) > 0) parts.push_back(fmt::format("{} {}", n.dump(), what));
    };
    count(s["lost"]["saturations"]["total"], "saturations");
    count(s["lost"]["input_rounded"], "input values rounded");
    count(s["lost"]["packets_dropped"], "packets dropped");
    count(s["undecided"], "inferences undecided");
    return parts.empty() ? std::string() : fmt::format("  lost      {}\n", fmt::join(parts, "; "));
}

/// What papers would say, below the table.
std::string estimate_text(const Json& s, double n) {
    std::string out;
    out += fmt::format("\nPaper's estimate: {} pJ per AC, {} pJ per MAC ({}), executed operations only.\n",
                       number(s["estimate"]["ac_pj"]), number(s["estimate"]["mac_pj"]),
                       s["estimate"]["source"].get<std::string>());
    out += fmt::format(
        "By rate x FLOPs it is {}; the same-shape ANN by MAC price {}. NoC energy counts for the sender.\n",
        human_energy(number(s["estimate"]["rate_pj"]) / n),
        human_energy(number(s["estimate"]["ann_pj"]) / n));
    if (number(s["ops"]["offchip_mac"]) > 0)
        out += "* computed by the host, off chip: in the estimate, not in the simulated energy.\n";
    return out;
}

}  // namespace

std::string summary_table(const Json& s, const std::string& chip_name) {
    const bool none = number(s["samples"]) == 0;
    const double n = none ? 1.0 : number(s["samples"]);
    const Json& e = s["energy"];
    std::string out;
    out += fmt::format("{} inferences on {}: {} of {} cores, {} timesteps ({} on the chip)\n",
                       s["samples"].dump(), chip_name, s["cores_used"].dump(), s["cores_total"].dump(),
                       s["timesteps"].dump(), s["chip_timesteps"].dump());
    out += fmt::format(
        "  accuracy  {:<14} cycles {:<12} time {:<12} energy {} per inference\n",
        s["accuracy"].is_null() ? "no labels" : fmt::format("{:.2f} %", 100 * number(s["accuracy"])),
        figure_text(s["cycles"]["per_sample_mean"], "{:.0f}"),
        none ? "none" : human_time(number(s["time"]["simulated_s"]) / n),
        none ? "none" : human_energy(number(e["total_pj"]) / n));
    const Json& area = s["area"]["total_mm2"];
    out += area.is_null()
               ? std::string("  area      none: the price list has no area figures\n")
               : fmt::format(
                     "  area      {:.3g} mm2 of the parts with a figure (stats.json: area.not_included)\n",
                     number(area));
    out += lost_text(s);
    if (s.contains("devices")) out += devices_text(s["devices"]);
    if (s.contains("arrays")) {
        out += fmt::format("  {} arrays, {:.1f} % of their cells; loading them takes {} and {}\n",
                           s["arrays"]["used"].dump(), 100 * number(s["arrays"]["utilisation"]),
                           human_time(number(s["load"]["time_s"])),
                           human_energy(number(s["load"]["energy_pj"])));
    }
    out +=
        "\n                                   operations per inference | paper's |  simulated energy per "
        "inference\n";
    out += fmt::format("{:<12} {:>7} {:>8} {:>8} {:>7} {:>8} | {:>7} | {:>8} {:>8} {:>8} {:>8} {:>8} {:>7}\n",
                       "layer", "neurons", "spikes", "AC", "MAC", "ANN MAC", "AC, MAC", "compute", "memory",
                       "NoC", "control", "total", "ratio");
    const auto row = [&](const std::string& name, const std::string& neurons, double spikes, const Json& ops,
                         double paper, const Json& energy, double total, const Json& ratio) {
        const auto pj = [&](const char* key) { return human_energy(number(energy[key]) / n); };
        const bool is_long = name.size() > 12;  // has a line of its own: cut, two names could look the same
        if (is_long) out += name + '\n';
        const double mac = number(ops["mac"]) + number(ops["offchip_mac"]);
        std::string mac_text = count_text(mac / n);
        if (number(ops["offchip_mac"]) > 0) mac_text += "*";
        out += fmt::format(
            "{:<12} {:>7} {:>8} {:>8} {:>7} {:>8} | {:>7} | {:>8} {:>8} {:>8} {:>8} {:>8} {:>7}\n",
            is_long ? "" : name, neurons, count_text(spikes / n), count_text(number(ops["ac"]) / n), mac_text,
            count_text(number(ops["ann_mac"]) / n), human_energy(paper / n), pj("compute_pj"),
            pj("memory_pj"), pj("noc_pj"), pj("control_pj"), human_energy(total / n),
            ratio.is_null() ? "-" : fmt::format("{:.3g}x", number(ratio)));
    };
    double neurons = 0;
    for (const Json& l : s["layers"]) {
        const bool input = l["kind"] == "Input";
        if (!input) neurons += number(l["neurons"]);
        row(l["name"].get<std::string>(), l["neurons"].dump(), number(l["spikes"]), l["ops"],
            number(l["estimate"]["paper_pj"]), l["energy"], number(l["energy"]["total_pj"]),
            l["estimate"]["ratio"]);
    }
    out += fmt::format("{:<94} {:>17}\n", "leakage", human_energy(number(e["leakage_pj"]) / n));
    const double paper = number(s["estimate"]["paper_pj"]);
    row("total", fmt::format("{:.0f}", neurons), number(s["spikes"]["total"]), s["ops"], paper, e,
        number(e["total_pj"]), s["estimate"]["ratio"]);
    const auto share = [&](const char* part) {
        const Json q = quotient(100 * number(e[part]), number(e["total_pj"]));
        return q.is_null() ? std::string("none") : fmt::format("{:.1f}%", q.get<double>());
    };
    out += fmt::format("{:<67} {:>8} {:>8} {:>8} {:>8}  leakage {}\n", "share of the total", share("compute_pj"),
                       share("memory_pj"), share("noc_pj"), share("control_pj"), share("leakage_pj"));
    return out + estimate_text(s, n);
}

}  // namespace loom::stats
