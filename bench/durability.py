"""Durability of batches against kills, interrupts, full disks, failing calls, wrong clocks, rival processes, dead providers and many tools.

    python bench/durability.py                         all scenarios, with 1,000 kills, in about an hour
    python bench/durability.py F1 --kills 90 --seed 3  one scenario
    python bench/durability.py F2 F4 F5                some scenarios

Each scenario runs `panel batch` in processes of its own against a model server on loopback that records every question and answer, disturbs
them, and compares the server's record with the database and the files. It prints a row for each, and every invariant that was broken; the exit code
is 1 then. The docstrings in `tests/durability/harness/checks.py` define the invariants D1 to D8. `tests/durability` runs shorter versions of all
scenarios but F8 and F13.

F4 mounts file systems and needs root; F5 needs strace, F6 faketime. A scenario whose program is missing is reported and skipped.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    # The tests' folder replaces this one, in which `durability` is this file.
    sys.path[0] = str(Path(__file__).resolve().parents[1] / "tests")
    sys.exit(import_module("durability.protocol").main(__doc__))
