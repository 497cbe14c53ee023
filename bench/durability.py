"""What a batch survives: kills, interrupts, full disks, failing calls, wrong clocks, rivals, dead providers, many tools.

    python bench/durability.py                         all of it with 1,000 kills, in about an hour
    python bench/durability.py F1 --kills 90 --seed 3  one run
    python bench/durability.py F2 F4 F5                some of them

Each run starts real processes of `panel batch` against a model server on loopback that keeps the books of what was asked and
answered, harms them, and holds the books against the database and the files. It prints a row for each, and below the table every
invariant that was broken, if any was; the exit code is 1 then. The invariants D1 to D8 are those of the docstrings in
`tests/durability/harness/checks.py`; `tests/durability` has shorter runs of all but F8 and F13.

F4 mounts file systems (as root); F5 needs strace, F6 faketime: what is not there is said, and left out.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    # In the place of this folder, whose `durability` is this file.
    sys.path[0] = str(Path(__file__).resolve().parents[1] / "tests")
    sys.exit(import_module("durability.protocol").main(__doc__))
