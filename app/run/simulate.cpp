// SPDX-License-Identifier: Apache-2.0
#include "app/run/simulate.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "app/extensions.hpp"
#include "app/noc/packet_log.hpp"
#include "app/progress.hpp"
#include "app/run/decoder.hpp"
#include "app/run/recorder.hpp"
#include "base/checked_cast.hpp"
#include "base/counter_math.hpp"
#include "base/durable_file.hpp"
#include "base/error.hpp"
#include "base/key_error.hpp"
#include "sim/foreign/boundary.hpp"
#include "sim/foreign/foreign_kind.hpp"

namespace loom::app {
namespace {

/// Cycles without progress after which a run is given up.
constexpr Cycles kPatience = Cycles{1} << 26;
/// What a worker process says of its failure, in memory that it shares with its parent: a full disk keeps no message.
struct Failure {
    int code;
    char text[4000];
};

class Sample final : public chip::SampleInput {
  public:
    Sample(const traces::Stimulus& s, std::size_t i) : stimulus_(s), sample_(i) {}
    void values(Step step, SparseVector& out) const override { stimulus_.values(sample_, step, out); }
    bool constant() const override { return stimulus_.constant(); }
    std::uint64_t number() const override { return sample_; }

  private:
    const traces::Stimulus& stimulus_;
    std::size_t sample_;
};

using SampleDone = std::function<void(std::size_t sample, Cycles cycles, const std::vector<Signal>&,
                                      const std::vector<PacketRow>&)>;

/// Samples first, first + stride, ... in this process.
stats::RunRecord run_part(const RunSpec& spec, const arch::Program& program, const traces::Stimulus& stimulus,
                          const SimulateOptions& options, std::size_t first, std::size_t stride,
                          const SampleDone& done) {
    foreign::Boundary boundary(known().modules, foreign::placement_of(spec.chip, known().modules));
    chip::ChipModel model(spec.chip, program, spec.schedule, stimulus.timesteps(), boundary.makers());
    if (options.shuffle_seed != 0) model.scheduler().shuffle(options.shuffle_seed);
    PlainLoop plain(model.scheduler());
    std::optional<chip::SystemCChip> body;
    if (options.systemc) {
        body.emplace("chip", spec.chip, model, options.waveform);
        boundary.bind(body->clock(), model);
    }
    TimeLoop& loop = options.systemc ? body->time_loop() : plain;
    loop.watchdog([&](Cycle now) { model.watch(now, kPatience); });
    Decoder decoder(spec.decode.rule, model);
    Recorder recorder(spec, model);
    PacketLog packets;
    if (spec.records(Record::Packets)) model.observe_packets(&packets);
    if (!spec.records(Record::Timesteps)) model.sum_quiet_steps();

    stats::RunRecord r;
    r.timesteps = stimulus.timesteps();
    r.chip_steps = model.chip_steps();
    r.routers_in_use = model.routers_in_use();
    for (std::size_t i = first; i < stimulus.samples(); i += stride) {
        decoder.begin_sample();
        recorder.begin_sample();
        const Sample sample(stimulus, i);
        const Cycle begin = model.scheduler().now() + 1;
        const chip::SampleTiming t = model.run_sample(loop, sample, [&](Step step) {
            decoder.after_step(step);
            recorder.after_step(step);
        });
        ++r.samples;
        add_checked(r.total_cycles, t.cycles, "the simulated cycles");
        r.reset_cycles += t.reset_cycles;
        r.barrier_cycles += t.barrier_cycles;
        r.barriers += t.steps.size() + t.quiet.steps;
        r.cycles_per_sample.push_back(t.cycles);
        r.predictions.push_back(decoder.prediction());
        if (r.predictions.back() == stats::kUndecided) ++r.undecided;
        if (!stimulus.labels().empty()) {
            ++r.labelled;
            if (stimulus.labels()[i] == r.predictions.back()) ++r.correct;
        }
        for (const chip::StepTotals& s : t.steps)
            r.row(s.step) += {s.step, s.cycles, s.events.core, s.events.noc, s.events.host_packets, 1};
        const chip::Totals& quiet = t.quiet.events;
        r.quiet += {0, t.quiet.cycles, quiet.core, quiet.noc, quiet.host_packets, t.quiet.steps};
        done(i, t.cycles, recorder.signals(), packets.take(begin));
    }
    r.host_packets = model.host_packets();
    r.input_events = model.input_events();
    r.input_rounded = model.input_rounded();
    r.offchip_mac = model.offchip_macs();
    for (std::size_t c = 0; c < model.cores().size(); ++c) {
        const auto layers = model.cores()[c]->layers();
        for (std::size_t l = 0; l < layers.size(); ++l) {
            r.cores.push_back(
                {index(program.cores[c].endpoint), index(layers[l]), model.cores()[c]->totals(l)});
        }
    }
    const auto noc = model.network().counters();
    r.noc.assign(noc.begin(), noc.end());
    return r;
}

void write_signals(std::ofstream& out, const std::vector<Signal>& signals) {
    errno = 0;
    for (const Signal& s : signals) {
        std::visit(
            [&](const auto& v) {
                out.write(reinterpret_cast<const char*>(v.data()),
                          static_cast<std::streamsize>(v.size() * sizeof v[0]));
            },
            s.values);
    }
}

void finish(std::ofstream& out, const std::string& path) {
    if (out) {
        errno = 0;
        out.flush();
        if (out) return;
    }
    throw IoError(path + ": cannot be written" + (errno == 0 ? std::string() : std::string(": ") + std::strerror(errno)));
}

void read_signals(std::ifstream& in, std::vector<Signal>& signals, const std::string& path) {
    for (Signal& s : signals) {
        std::visit(
            [&](auto& v) {
                in.read(reinterpret_cast<char*>(v.data()),
                        static_cast<std::streamsize>(v.size() * sizeof v[0]));
            },
            s.values);
    }
    if (!in) throw IoError(path + ": cannot be read back");
}

/// Worker processes that share the samples; files in the result directory carry what they found.
class Workers {
  public:
    Workers(const ResultDir& directory, unsigned n) : directory_(directory), n_(n) {
        void* shared = mmap(nullptr, n * sizeof(Failure), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) throw IoError("no memory for the processes of --threads");
        failures_ = static_cast<Failure*>(shared);
    }
    ~Workers() {
        for (const pid_t pid : pids_) {
            kill(pid, SIGKILL);
            waitpid(pid, nullptr, 0);
        }
        munmap(failures_, n_ * sizeof(Failure));
        std::error_code ec;
        for (unsigned k = 0; k < n_; ++k) {
            for (const char* what : {"signals", "packets", "record"})
                std::filesystem::remove(name(k, what), ec);
        }
    }
    std::string name(unsigned k, const char* what) const {
        return directory_.file(fmt::format("part-{}.{}", k, what));
    }

    /// work(worker, progress pipe): runs in the child.
    void run(const std::function<void(unsigned, int)>& work,
             const std::function<void(std::uint64_t)>& sample_done) {
        int pipe_ends[2];
        if (pipe(pipe_ends) != 0) throw IoError("cannot create a pipe");
        const pid_t parent = getpid();
        for (unsigned k = 0; k < n_; ++k) {
            const pid_t pid = fork();
            if (pid < 0) throw IoError("cannot start a process");
            if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() != parent) _exit(1);
                close(pipe_ends[0]);
                child(k, pipe_ends[1], work);
            }
            pids_.push_back(pid);
        }
        close(pipe_ends[1]);
        std::uint64_t cycles = 0;
        while (read(pipe_ends[0], &cycles, sizeof cycles) == sizeof cycles) sample_done(cycles);
        close(pipe_ends[0]);
        for (unsigned k = 0; k < n_; ++k) {
            int status = 0;
            waitpid(pids_.front(), &status, 0);
            pids_.erase(pids_.begin());
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
            if (const Failure& failed = failures_[k]; WIFEXITED(status) && failed.code != 0)
                throw Error(static_cast<ExitCode>(failed.code), failed.text);
            throw ModelError(fmt::format("worker process {} ended abnormally", k));
        }
    }

  private:
    [[noreturn]] void child(unsigned k, int pipe_end, const std::function<void(unsigned, int)>& work) const {
        const auto fail = [&](ExitCode code, const std::string& what) {
            failures_[k].code = static_cast<int>(code);
            what.copy(failures_[k].text, sizeof(Failure::text) - 1);
        };
        try {
            work(k, pipe_end);
        } catch (const Error& e) {
            fail(e.code(), e.what());
        } catch (const std::exception& e) {
            fail(ExitCode::Internal, e.what());
        }
        _exit(failures_[k].code);
    }
    const ResultDir& directory_;
    unsigned n_;
    Failure* failures_ = nullptr;
    std::vector<pid_t> pids_;
};

}  // namespace

compiler::InputFormat input_format(const traces::Stimulus& stimulus) {
    constexpr int kFinest = 30;
    compiler::InputFormat f;
    f.max_abs = 0;
    SparseVector values;
    for (std::size_t s = 0; s < stimulus.samples(); ++s) {
        for (std::size_t t = 0; t < (stimulus.constant() ? 1 : stimulus.timesteps()); ++t) {
            stimulus.values(s, t, values);
            for (const auto& [i, v] : values) {
                f.max_abs = std::max(f.max_abs, std::abs(v));
                if (v != 1.0) f.analogue = true;
                f.events += 1;
                while (f.exponent < kFinest &&
                       std::ldexp(v, f.exponent) != std::nearbyint(std::ldexp(v, f.exponent))) {
                    ++f.exponent;
                }
            }
        }
    }
    f.steps = stimulus.timesteps();
    f.events *= static_cast<double>(stimulus.constant() ? stimulus.timesteps() : 1) /
                static_cast<double>(std::max<std::size_t>(stimulus.samples(), 1));
    return f;
}

namespace {

/// Barriers alone must not take more cycles than a run can count.
void check_time(const RunSpec& spec, const arch::Program& program, const traces::Stimulus& stimulus) {
    constexpr double kMost = 0x1p63;
    const arch::TimestepSpec& t = spec.chip.timestep;
    const double barrier =
        static_cast<double>(t.latency) + static_cast<double>(t.latency_per_tile) * static_cast<double>(program.cores.size());
    const double steps = static_cast<double>(stimulus.samples()) *
                         (static_cast<double>(stimulus.timesteps()) + program.max_skew);
    if (barrier * steps < kMost) return;
    throw KeyError("timestep.latency", fmt::format("{} timesteps with barriers of up to {} cycles (latency, latency_per_tile "
                                                   "for {} cores) take more than 2^63 cycles",
                                                   steps, barrier, program.cores.size()));
}

}  // namespace

stats::RunRecord simulate(const RunSpec& spec, const arch::Program& program, const traces::Stimulus& stimulus,
                          const SimulateOptions& options, const ResultDir& directory) {
    check_time(spec, program, stimulus);
    const std::size_t samples = stimulus.samples();
    const auto stride =
        static_cast<unsigned>(std::clamp<std::size_t>(options.threads, 1, std::max<std::size_t>(samples, 1)));
    std::vector<Signal> layout = recorded_signals(spec, program, stimulus.timesteps());
    std::unique_ptr<RecordFile> file;
    if (!layout.empty()) {
        file = std::make_unique<RecordFile>(directory.file("spikes.h5"), layout, program, samples,
                                            stimulus.timesteps(), spec.profile.dt_seconds());
    }
    std::optional<PacketFile> packet_file;
    if (spec.records(Record::Packets)) packet_file.emplace(directory.file("packets.csv"));
    Progress progress("run", samples, options.quiet);
    std::uint64_t done = 0, cycles = 0;
    const auto count = [&](std::uint64_t c) {
        cycles += c;
        progress.update(++done, cycles);
    };
    stats::RunRecord whole;
    whole.cycles_per_sample.resize(samples);
    whole.predictions.resize(samples);
    if (stride == 1) {
        whole.add(run_part(spec, program, stimulus, options, 0, 1,
                           [&](std::size_t i, Cycles c, const std::vector<Signal>& signals,
                               const std::vector<PacketRow>& packets) {
                               if (file) file->append(i, signals);
                               if (packet_file) packet_file->append(packets, c);
                               count(c);
                           }),
                  0, 1);
    } else {
        Workers workers(directory, stride);
        workers.run(
            [&](unsigned k, int pipe_end) {
                std::ofstream out(workers.name(k, "signals"), std::ios::binary);
                std::ofstream rows(workers.name(k, "packets"), std::ios::binary);
                const auto record = run_part(spec, program, stimulus, options, k, stride,
                                             [&](std::size_t, Cycles c, const std::vector<Signal>& signals,
                                                 const std::vector<PacketRow>& packets) {
                                                 write_signals(out, signals);
                                                 if (!out) finish(out, workers.name(k, "signals"));
                                                 if (packet_file) write_rows(rows, packets);
                                                 if (!rows) finish(rows, workers.name(k, "packets"));
                                                 if (write(pipe_end, &c, sizeof c) != sizeof c)
                                                     throw IoError("progress pipe");
                                             });
                finish(out, workers.name(k, "signals"));
                finish(rows, workers.name(k, "packets"));
                write_text(workers.name(k, "record"), stats::serialise(record), workers.name(k, "record"));
            },
            count);
        std::vector<std::ifstream> parts, rows;
        for (unsigned k = 0; k < stride; ++k) {
            std::ifstream in(workers.name(k, "record"), std::ios::binary);
            whole.add(
                stats::deserialise({std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}), k,
                stride);
            parts.emplace_back(workers.name(k, "signals"), std::ios::binary);
            rows.emplace_back(workers.name(k, "packets"), std::ios::binary);
        }
        for (std::size_t i = 0; packet_file && i < samples; ++i) {
            const std::string name = workers.name(static_cast<unsigned>(i % stride), "packets");
            packet_file->append(read_rows(rows[i % stride], name), whole.cycles_per_sample[i]);
        }
        for (std::size_t i = 0; file && i < samples; ++i) {
            read_signals(parts[i % stride], layout,
                         workers.name(static_cast<unsigned>(i % stride), "signals"));
            file->append(i, layout);
        }
    }
    if (file) file->close();
    if (packet_file) packet_file->close();
    progress.finish();
    return whole;
}

}  // namespace loom::app
