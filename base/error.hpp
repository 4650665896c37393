// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdexcept>
#include <string>

namespace loom {

/// Exit codes of the command line (docs/reference/command-line.md).
enum class ExitCode : int {
    Ok = 0,
    CheckFailed = 1,
    Usage = 2,
    InvalidInput = 3,
    DoesNotFit = 4,
    SimulationFault = 5,
    Io = 6,
    Internal = 70,
};

/// Base of every error thrown on purpose. what() is the whole one-line message for the user.
class Error : public std::runtime_error {
  public:
    Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
    ExitCode code() const { return code_; }

  private:
    ExitCode code_;
};

/// A YAML file is wrong. message form: "file:line:col: key.path: problem; did you mean ..."
class ConfigError : public Error {
  public:
    explicit ConfigError(const std::string& message) : Error(ExitCode::InvalidInput, message) {}
};

/// A network or data file is wrong. message form: "file: node 'x': problem; mend"
class InputError : public Error {
  public:
    explicit InputError(const std::string& message) : Error(ExitCode::InvalidInput, message) {}
};

/// The input is well-formed but asks for what this version cannot do.
class UnsupportedError : public Error {
  public:
    explicit UnsupportedError(const std::string& message)
        : Error(ExitCode::InvalidInput, "unsupported: " + message) {}
};

/// The network does not fit the chip. Names the binding resource, what is needed and what there is.
class MappingError : public Error {
  public:
    MappingError(const std::string& resource, const std::string& where, double need, double have);
    const std::string& resource() const { return resource_; }
    double need() const { return need_; }
    double have() const { return have_; }

  private:
    std::string resource_;
    double need_;
    double have_;
};

/// A modelled component broke its own contract (overflowing link, deadlock, ...).
class ModelError : public Error {
  public:
    explicit ModelError(const std::string& message) : Error(ExitCode::SimulationFault, message) {}
};

/// The file system said no.
class IoError : public Error {
  public:
    explicit IoError(const std::string& message) : Error(ExitCode::Io, message) {}
};

/// A bug of ours.
class InternalError : public Error {
  public:
    explicit InternalError(const std::string& message)
        : Error(ExitCode::Internal, "internal error (please report): " + message) {}
};

}  // namespace loom
