"""Eight editors, each in a process of their own, who all want to approve the same 400 drafts.

    python bench/many_hands.py                  SQLite, and PostgreSQL where its server is installed
    python bench/many_hands.py --drafts 2000

Everybody reads and approves every draft, in the same order. It prints how many approvals won, how many rows of approval the log has and of
how many drafts, how many attempts the rules refused, what else was raised, and the seconds that it took; the exit code is 1 if any draft was not
approved exactly once, a count is wrong or the store is not sound.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from databases import databases
from panel.core.draft_state import State
from panel.store import open_store
from store.hands import EDITORS, approvals, in_process, opened


def main() -> int:
    """Let them race on each kind of database, print a row for each, and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drafts", type=int, default=400)
    count = parser.parse_args().drafts
    print(
        f"{'':12}{'wins':>6}{'audit rows':>12}{'of drafts':>11}{'refusals':>10}{'errors':>8}{'seconds':>9}  sound"
    )
    with databases() as found:
        sound = [asyncio.run(_raced(kind, where(), count)) for kind, where in found.items()]
    return 0 if all(sound) else 1


async def _raced(kind: str, where: str, count: int) -> bool:
    async with open_store(where) as store:
        drafts = await opened(store, count)
        began = time.perf_counter()
        with ProcessPoolExecutor(len(EDITORS), mp_context=get_context("spawn")) as pool:
            loop = asyncio.get_running_loop()
            told = await asyncio.gather(
                *(loop.run_in_executor(pool, in_process, where, name, drafts) for name in EDITORS)
            )
        seconds = time.perf_counter() - began
        rows, of_drafts = await approvals(store)
        counts, flaws = await store.queue.counts(), await store.check()
    wins, refusals = sum(one.wins for one in told), sum(one.refusals for one in told)
    errors = [error for one in told for error in one.errors]
    right = wins == rows == of_drafts == counts[State.APPROVED] == sum(counts.values()) == count
    sound = right and not errors and not flaws
    print(
        f"{kind:12}{wins:6}{rows:12}{of_drafts:11}{refusals:10}{len(errors):8}{seconds:9.1f}  {'yes' if sound else 'no'}"
    )
    print(*errors[:5], *flaws[:5], sep="\n", end="", file=sys.stderr)
    return sound


if __name__ == "__main__":
    sys.exit(main())
