# SPDX-License-Identifier: Apache-2.0
"""scripts/fuzz for 2000 cases, always the same ones. SPIKELOOM_CASES, SPIKELOOM_SEED: more, others."""
import os
import subprocess
import sys

from support import ROOT, main

BUILD = os.environ.get("LOOM_BUILD_DIR", f"{ROOT}/build")


def fuzz():
    p = subprocess.run([sys.executable, f"{ROOT}/scripts/fuzz", "--server", f"{BUILD}/tests/fuzz/spikeloom-fuzz", "--cases",
                        os.environ.get("SPIKELOOM_CASES", "2000"), "--seed", os.environ.get("SPIKELOOM_SEED", "1")], capture_output=True, text=True, check=False)
    print(p.stdout.strip())
    assert p.returncode == 0, p.stderr


if __name__ == "__main__":
    main([fuzz])
