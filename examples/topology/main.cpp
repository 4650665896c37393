// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"
#include "chordal_ring.hpp"

int main(int argc, char** argv) {
    loom::app::Extensions extensions;
    extensions.noc.topologies.add(chordal_ring());
    return loom::app::run_program(argc, argv, extensions);
}
