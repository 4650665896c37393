// SPDX-License-Identifier: Apache-2.0
// libsystemc asks for it; benchmarks and unit tests have a main() of their own.
extern "C" int sc_main(int, char**) {
    return 0;
}
