// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace loom::hdf5 {

/// One end of a socket between two processes: whole numbers, texts and raw bytes in order. Both throw Closed
/// when the other end is gone.
class Pipe {
  public:
    struct Closed {};
    explicit Pipe(int socket) : socket_(socket) {}
    void put(std::uint64_t number) { put_bytes(&number, sizeof number); }
    void put(const std::string& text);
    void put_bytes(const void* from, std::size_t n);
    std::uint64_t number();
    std::string text();
    void bytes(void* to, std::size_t n);
    template <class T>
    void put_all(const std::vector<T>& v) {
        put(v.size());
        put_bytes(v.data(), v.size() * sizeof(T));
    }
    template <class T>
    std::vector<T> all() {
        std::vector<T> v(number());
        bytes(v.data(), v.size() * sizeof(T));
        return v;
    }
    /// Sends what was put and is still held back.
    void flush();

  private:
    int socket_;
    std::string held_;
};

/// What is asked of the reader process: an operation, the number of a group or matrix, a key, then what the
/// operation takes. The answer: a Status, then a text for an error, or what was asked for.
enum class Op : std::uint64_t {
    OpenFile,
    OpenGroup,
    ReadNumbers,
    ReadShape,
    OpenMatrix,
    ReadRows,
    ReadTexts,
    ReadAttribute
};
/// A kind that could not be found out, among those of a group's keys.
constexpr std::uint8_t kDamagedKind = 255;
enum class Status : std::uint64_t { Ok, InputError, IoError, OutOfMemory };

/// A process that reads one HDF5 file with HDF5's library. It gets the bytes that this process has read (and hashed)
/// when it is forked. What damage does to the library ends that process,
/// and not the program.
class ReaderProcess {
  public:
    explicit ReaderProcess(const std::string& path);
    ~ReaderProcess();
    ReaderProcess(const ReaderProcess&) = delete;
    ReaderProcess& operator=(const ReaderProcess&) = delete;

    /// One question: `send` puts what the operation takes, `read` takes the answer. `what` names it in
    /// messages.
    template <class Send, class Read>
    auto ask(Op op, std::size_t number, const std::string& key, const std::string& what, Send send,
             Read read) {
        try {
            pipe_.put(static_cast<std::uint64_t>(op));
            pipe_.put(number);
            pipe_.put(key);
            send(pipe_);
            pipe_.flush();
            check_status();
            return read(pipe_);
        } catch (const Pipe::Closed&) {
            fail_ended(what);
        }
    }
    const std::string& path() const { return path_; }

  private:
    void check_status();
    [[noreturn]] void fail_ended(const std::string& what);

    std::string path_;
    int socket_ = -1;
    pid_t child_ = -1, owner_;
    Pipe pipe_;
};

/// The work of the child: answers until the other end is gone.
/// bytes: of the file.
void serve(const std::string& path, std::vector<std::uint8_t> bytes, Pipe& pipe);

}  // namespace loom::hdf5
