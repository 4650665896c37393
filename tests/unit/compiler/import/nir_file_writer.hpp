// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace loom::test {

using Dims = std::vector<std::size_t>;

/// Creates small HDF5 files for tests. Paths are absolute inside the file ("/node/type"); groups on
/// the way are made as needed. Throws std::runtime_error when HDF5 refuses.
class Hdf5Writer {
  public:
    explicit Hdf5Writer(const std::string& path);
    Hdf5Writer(const Hdf5Writer&) = delete;
    Hdf5Writer& operator=(const Hdf5Writer&) = delete;
    ~Hdf5Writer();

    void group(const std::string& path);
    /// An empty `dims` is a scalar. Doubles, or single precision packed by gzip.
    void reals(const std::string& path, const Dims& dims, const std::vector<double>& values);
    void packed_floats(const std::string& path, const Dims& dims, const std::vector<double>& values);
    void integers(const std::string& path, const Dims& dims, const std::vector<std::int64_t>& values);
    void boolean(const std::string& path, bool value);
    void text(const std::string& path, const std::string& value);
    void fixed_text(const std::string& path, const std::string& value, std::size_t length);
    void texts(const std::string& path, const Dims& dims, const std::vector<std::string>& values);
    /// A chunked dataset of doubles of which nothing is stored.
    void unwritten(const std::string& path, const Dims& dims);
    void soft_link(const std::string& path, const std::string& target);
    void hard_link(const std::string& path, const std::string& target);

  private:
    void dataset(const std::string& path, const Dims& dims, std::int64_t file_type, std::int64_t memory_type,
                 const void* data, bool packed = false);
    std::int64_t file_;
};

/// A NIR graph in the making: nodes are written at once, edges and type by finish().
class GraphWriter {
  public:
    /// The keys of one node; calls chain.
    class Node {
      public:
        Node(Hdf5Writer& h, std::string path) : h_(h), path_(std::move(path)) {}
        Node& real(const std::string& key, double v) { return reals(key, {}, {v}); }
        Node& reals(const std::string& key, const Dims& dims, const std::vector<double>& v) {
            h_.reals(path_ + key, dims, v);
            return *this;
        }
        /// `n` times the value, as a vector.
        Node& same(const std::string& key, std::size_t n, double v) {
            return reals(key, {n}, std::vector<double>(n, v));
        }
        /// 0, 1, 2, ... in the given shape.
        Node& counting(const std::string& key, const Dims& dims);
        Node& integer(const std::string& key, std::int64_t v) {
            h_.integers(path_ + key, {}, {v});
            return *this;
        }
        Node& integers(const std::string& key, const std::vector<std::int64_t>& v) {
            h_.integers(path_ + key, {v.size()}, v);
            return *this;
        }
        Node& text(const std::string& key, const std::string& v) {
            h_.text(path_ + key, v);
            return *this;
        }

      private:
        Hdf5Writer& h_;
        std::string path_;
    };

    GraphWriter(Hdf5Writer& h, std::string path) : h_(h), path_(std::move(path)) {}
    Node node(const std::string& name, const std::string& type);
    /// An Input or Output.
    void border(const std::string& name, const std::string& type, const std::vector<std::int64_t>& shape) {
        node(name, type).integers("shape", shape);
    }
    GraphWriter graph(const std::string& name) { return {h_, path_ + "nodes/" + name + "/"}; }
    GraphWriter& edge(const std::string& from, const std::string& to);
    void finish();

  private:
    Hdf5Writer& h_;
    std::string path_;
    std::vector<std::string> ends_;
};

/// A file in a fresh temporary folder of this test, removed with the object.
class TemporaryFile {
  public:
    TemporaryFile();
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile();
    const std::string& path() const { return path_; }

  private:
    std::string folder_, path_;
};

}  // namespace loom::test
