// SPDX-License-Identifier: Apache-2.0
// The child's side of the reader process.
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <new>

#include "base/error.hpp"
#include "base/hdf5/library_group.hpp"
#include "base/hdf5/reader_process.hpp"

namespace loom::hdf5 {
namespace {

/// While it lives, the process gets 512 MiB more than it has: twice the text that is read from one key. A
/// damaged heap of strings claims any size, and the library fills that much with zeros.
class LittleMemory {
  public:
    LittleMemory() {
        std::uint64_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        if (pages == 0 || getrlimit(RLIMIT_AS, &before_) != 0) return;
        rlimit less = before_;
        less.rlim_cur =
            std::min<rlim_t>(less.rlim_cur, pages * static_cast<std::uint64_t>(getpagesize()) + kMore);
        limited_ = setrlimit(RLIMIT_AS, &less) == 0;
    }
    ~LittleMemory() {
        if (limited_) setrlimit(RLIMIT_AS, &before_);
    }
    LittleMemory(const LittleMemory&) = delete;
    LittleMemory& operator=(const LittleMemory&) = delete;

  private:
    static constexpr std::uint64_t kMore = std::uint64_t{1} << 29;
    rlimit before_{};
    bool limited_ = false;
};

class Server {
  public:
    Server(const std::string& path, std::vector<std::uint8_t> bytes, Pipe& pipe)
        : path_(path), bytes_(std::move(bytes)), pipe_(pipe) {
        limit_.it_value.tv_sec = 5 + static_cast<time_t>(bytes_.size() >> 18);
    }

    void answer() {
        const auto op = static_cast<Op>(pipe_.number());
        const std::size_t number = pipe_.number();
        const std::string key = pipe_.text();
        setitimer(ITIMER_PROF, &limit_, nullptr);  // a library that never comes back is ended by SIGPROF
        try {
            answer(op, number, key);
        } catch (const IoError& e) {
            refuse(Status::IoError, e.what());
        } catch (const Error& e) {
            refuse(Status::InputError, e.what());
        } catch (const std::bad_alloc&) {
            pipe_.put(static_cast<std::uint64_t>(Status::OutOfMemory));
        }
        pipe_.flush();
    }

  private:
    void ok() { pipe_.put(static_cast<std::uint64_t>(Status::Ok)); }
    void refuse(Status status, const std::string& text) {
        pipe_.put(static_cast<std::uint64_t>(status));
        pipe_.put(text);
    }

    /// Everything is found out before the first word of the answer, so that an error can still take its
    /// place.
    void answer(Op op, std::size_t number, const std::string& key) {
        switch (op) {
            case Op::OpenFile:
                return add(open_with_library(path_, std::move(bytes_)));
            case Op::OpenGroup: {
                const std::string where = pipe_.text();
                return add(groups_.at(number).group(key, where));
            }
            case Op::ReadNumbers: {
                const Numbers n = groups_.at(number).numbers(key);
                ok();
                pipe_.put_all(n.shape);
                return pipe_.put_all(n.data);
            }
            case Op::ReadShape: {
                const auto shape = groups_.at(number).shape(key);
                ok();
                return pipe_.put_all(shape);
            }
            case Op::OpenMatrix:
                matrices_.push_back(groups_.at(number).matrix(key));
                ok();
                return pipe_.put(matrices_.size() - 1);
            case Op::ReadRows: {
                std::size_t at[4];
                for (std::size_t& a : at) a = pipe_.number();
                block_.resize(at[1] * at[3]);
                matrices_.at(number)(at[0], at[1], at[2], at[3], block_.data());
                ok();
                return pipe_.put_bytes(block_.data(), block_.size() * sizeof(double));
            }
            case Op::ReadTexts: {
                const Texts t = [&] {
                    const LittleMemory limit;
                    return groups_.at(number).texts(key);
                }();
                ok();
                pipe_.put_all(t.shape);
                pipe_.put(t.data.size());
                for (const std::string& s : t.data) pipe_.put(s);
                return;
            }
            case Op::ReadAttribute: {
                double value = 0;
                pipe_.bytes(&value, sizeof value);
                value = groups_.at(number).attribute(key, value);
                ok();
                return pipe_.put_bytes(&value, sizeof value);
            }
        }
    }

    /// A group's number, keys and their kinds.
    void add(LibraryGroup group) {
        std::vector<std::uint64_t> kinds;
        for (const std::string& key : group.keys()) {
            try {
                kinds.push_back(static_cast<std::uint64_t>(group.kind(key)));
            } catch (const Error&) {
                kinds.push_back(kDamagedKind);
            }
        }
        ok();
        pipe_.put(groups_.size());
        pipe_.put(kinds.size());
        for (const std::string& key : group.keys()) pipe_.put(key);
        for (const std::uint64_t kind : kinds) pipe_.put(kind);
        groups_.push_back(std::move(group));
    }

    const std::string& path_;
    std::vector<std::uint8_t> bytes_;  ///< of the file, until it is opened
    Pipe& pipe_;
    itimerval limit_{};  ///< computing time of one answer
    std::vector<LibraryGroup> groups_;
    std::vector<ReadBlock> matrices_;
    std::vector<double> block_;
};

}  // namespace

void serve(const std::string& path, std::vector<std::uint8_t> bytes, Pipe& pipe) {
    try {
        for (Server server(path, std::move(bytes), pipe);;) server.answer();
    } catch (const Pipe::Closed&) {
        _exit(0);  // nobody asks any more
    } catch (...) {
        _exit(1);
    }
}

}  // namespace loom::hdf5
