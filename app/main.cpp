// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

int main(int argc, char** argv) {
    loom::app::Extensions extensions;
    return loom::app::run_program(argc, argv, extensions);
}
