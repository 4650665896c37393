// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace loom::config {

/// The folder that holds the shipped `configs/`, without a slash at its end; empty when there is none.
/// The first that exists of: $SPIKELOOM_SHARE; share/spikeloom beside the folder of the program (installed);
/// share/spikeloom in the folder of the program (in a build tree). No path is compiled in, so an
/// installed tree can be moved.
std::string shipped_folder();

/// The file that `written` names in a file of `folder` (empty: the working directory): an absolute path as it
/// is, otherwise folder/written. When there is no such file and `written` begins with "configs/", the file
/// of that name that comes with the program. What is nowhere keeps the name folder/written, for messages.
std::string path_from(const std::string& folder, const std::string& written);

}  // namespace loom::config
