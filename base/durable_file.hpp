// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace loom {

/// Has a file's contents, or a folder's names, on the disk when it returns. Throws IoError; where a file system
/// cannot say so, nothing happens.
void sync_path(const std::string& path);

/// Renames a finished file and has contents and name on the disk. Throws IoError about `path`.
void rename_durably(const std::string& temporary, const std::string& path);

/// Writes a file under a temporary name beside it and renames it: a reader finds the old or the new one, also after
/// a power loss. Throws IoError.
void write_file_atomically(const std::string& path, const std::string& text);

/// Writes a file. Throws IoError, which calls it `shown`.
enum class Begin { Anew, AtTheEnd };
void write_text(const std::string& path, const std::string& text, const std::string& shown,
                Begin begin = Begin::Anew);

/// The temporary name for a file: only who holds the place writes there, so there is one.
std::string temporary_name(const std::string& path);

}  // namespace loom
