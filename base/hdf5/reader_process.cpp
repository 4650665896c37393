// SPDX-License-Identifier: Apache-2.0
#include "base/hdf5/reader_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <utility>

#include "base/error.hpp"
#include "base/input_file.hpp"

namespace loom::hdf5 {
namespace {

constexpr std::size_t kHeld = 1 << 16;

/// The child shares nothing that somebody may wait for, and leaves no trace when it ends.
void become_reader(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    std::signal(SIGINT, SIG_IGN);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    const int null = ::open("/dev/null", O_RDWR);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
}

}  // namespace

void Pipe::put_bytes(const void* from, std::size_t n) {
    const char* p = static_cast<const char*>(from);
    if (n < kHeld) {
        held_.append(p, n);
        if (held_.size() >= kHeld) flush();
        return;
    }
    flush();
    while (n != 0) {
        const ssize_t sent = ::send(socket_, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) throw Closed{};
        p += sent;
        n -= static_cast<std::size_t>(sent);
    }
}

void Pipe::flush() {
    const std::string out = std::exchange(held_, {});
    for (std::size_t at = 0; at < out.size();) {
        const ssize_t sent = ::send(socket_, out.data() + at, out.size() - at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) throw Closed{};
        at += static_cast<std::size_t>(sent);
    }
}

void Pipe::bytes(void* to, std::size_t n) {
    for (char* p = static_cast<char*>(to); n != 0;) {
        const ssize_t got = ::recv(socket_, p, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw Closed{};
        p += got;
        n -= static_cast<std::size_t>(got);
    }
}

void Pipe::put(const std::string& text) {
    put(text.size());
    put_bytes(text.data(), text.size());
}

std::uint64_t Pipe::number() {
    std::uint64_t v = 0;
    bytes(&v, sizeof v);
    return v;
}

std::string Pipe::text() {
    std::string s(number(), '\0');
    bytes(s.data(), s.size());
    return s;
}

ReaderProcess::ReaderProcess(const std::string& path) : path_(path), owner_(getpid()), pipe_(-1) {
    std::vector<std::uint8_t> file = input_bytes(path);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw IoError(fmt::format("{}: cannot be read: no socket: {}", path, std::strerror(errno)));
    child_ = fork();
    if (child_ < 0) {
        const std::string why = std::strerror(errno);
        for (const int fd : ends) close(fd);
        throw IoError(fmt::format("{}: cannot be read: no process: {}", path, why));
    }
    if (child_ == 0) {
        close(ends[0]);
        become_reader(owner_);
        Pipe pipe(ends[1]);
        serve(path, std::move(file), pipe);
        _exit(0);
    }
    close(ends[1]);
    socket_ = ends[0];
    pipe_ = Pipe(socket_);
}

ReaderProcess::~ReaderProcess() {
    const bool mine = getpid() == owner_;
    if (mine) shutdown(socket_, SHUT_RDWR);
    close(socket_);
    if (mine && child_ > 0) waitpid(child_, nullptr, 0);
}

void ReaderProcess::check_status() {
    const auto status = static_cast<Status>(pipe_.number());
    if (status == Status::Ok) return;
    if (status == Status::OutOfMemory) throw std::bad_alloc();
    const std::string text = pipe_.text();
    if (status == Status::IoError) throw IoError(text);
    throw InputError(text);
}

void ReaderProcess::fail_ended(const std::string& what) {
    int status = 0;
    if (child_ > 0) waitpid(std::exchange(child_, -1), &status, 0);
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const std::string how = signal == SIGPROF   ? "did not come to an end"
                            : signal == SIGKILL ? "was killed; is there enough memory?"
                            : signal != 0       ? fmt::format("crashed ({})", strsignal(signal))
                                                : "crashed";
    throw InputError(
        fmt::format("{}: {}: HDF5's library {} while it read this; the file is damaged, get a new copy",
                    path_, what, how));
}

}  // namespace loom::hdf5
