"""Race eight editors, each in a process of their own, for the approval of the same 400 drafts.

    python bench/concurrent_approvals.py                  SQLite, and PostgreSQL where its server is installed
    python bench/concurrent_approvals.py --drafts 2000

Every editor reads and approves every draft, in the same order. For each database it prints the approvals that succeeded, the approval
events and their drafts, the refused attempts, other errors and the seconds. The exit code is 1 if a draft was not approved exactly once,
a count is wrong or the store is not sound.
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
    """Race on each kind of database, print a row for each, and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drafts", type=int, default=400)
    count = parser.parse_args().drafts
    print(
        f"{'':12}{'approved':>10}{'events':>8}{'drafts':>8}{'refused':>9}{'errors':>8}{'seconds':>9}  sound"
    )
    with databases() as found:
        sound = [asyncio.run(_race(kind, address(), count)) for kind, address in found.items()]
    return 0 if all(sound) else 1


async def _race(kind: str, address: str, count: int) -> bool:
    async with open_store(address) as store:
        drafts = await opened(store, count)
        began = time.perf_counter()
        with ProcessPoolExecutor(len(EDITORS), mp_context=get_context("spawn")) as pool:
            loop = asyncio.get_running_loop()
            results = await asyncio.gather(
                *(loop.run_in_executor(pool, in_process, address, name, drafts) for name in EDITORS)
            )
        seconds = time.perf_counter() - began
        events, event_drafts = await approvals(store)
        counts, problems = await store.queue.counts(), await store.check()
    approved, refused = sum(each.wins for each in results), sum(each.refusals for each in results)
    errors = [error for each in results for error in each.errors]
    once = approved == events == event_drafts == counts[State.APPROVED] == sum(counts.values()) == count
    sound = once and not errors and not problems
    print(
        f"{kind:12}{approved:10}{events:8}{event_drafts:8}{refused:9}{len(errors):8}{seconds:9.1f}  {'yes' if sound else 'no'}"
    )
    print(*errors[:5], *problems[:5], sep="\n", end="", file=sys.stderr)
    return sound


if __name__ == "__main__":
    sys.exit(main())
