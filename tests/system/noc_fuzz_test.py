# SPDX-License-Identifier: Apache-2.0
"""scripts/fuzz-noc for 20 seconds, always the same cases first. SPIKELOOM_FUZZ_SECONDS, SPIKELOOM_SEED: more, others."""
import os
import subprocess
import sys

from support import PROGRAM, ROOT, main

# deflection and scheduled routers: not yet (flits are counted before they move, dead routers keep theirs)
ROUTERS = os.environ.get("SPIKELOOM_ROUTERS", "vc,async,handshake,timeout,deflection")


def fuzz():
    p = subprocess.run([sys.executable, f"{ROOT}/scripts/fuzz-noc", "--program", PROGRAM, "--seconds", os.environ.get("SPIKELOOM_FUZZ_SECONDS", "20"),
                        "--seed", os.environ.get("SPIKELOOM_SEED", "1"), "--router", ROUTERS], capture_output=True, text=True, check=False)
    print(p.stdout.strip())
    assert p.returncode == 0, p.stderr


if __name__ == "__main__":
    main([fuzz])
