"""Server: what is freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

FREED = """
import sys
import numpy as np
from vivant.server.allocator import keep_large_blocks_apart

def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

if sys.argv[1:]:
    keep_large_blocks_apart()
np.ones(30 << 20, np.uint8)  # freed at once, which raises glibc's own bound
before_mb, small = resident_mb(), []
for _ in range(16):
    large = np.ones(8 << 20, np.uint8)
    small.append(np.ones(1 << 18, np.uint8))  # stays behind it
    large = np.ones(8 << 20 | 4096, np.uint8)
del large
print(resident_mb() - before_mb)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_large_blocks_go_back_to_the_system() -> None:
    words = [sys.executable, "-c", FREED, "apart"]
    assert float(subprocess.run(words, capture_output=True, text=True, check=True).stdout) < 8
