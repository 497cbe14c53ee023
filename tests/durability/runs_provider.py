"""F10: a provider that is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durability.harness import checks
from durability.harness.tally import Tally
from durability.harness.world import CONCURRENCY, World
from durability.runs_kill import finish, last_line

if TYPE_CHECKING:
    from pathlib import Path

    from durability.harness.world import Bench

STOPPED = 75
TOOLS = 20
SPARE = 5
"""Calls beyond those in flight that a provider which can answer nobody may be asked."""


def _refusal(status: int, kind: str, code: str | None = None) -> dict[str, Any]:
    return {"status": status, "error": {"error": {"message": "no", "type": kind, "code": code}}}


DEATHS: dict[str, dict[str, Any]] = {
    "401": _refusal(401, "invalid_request_error", "invalid_api_key"),
    "quota": _refusal(429, "insufficient_quota", "insufficient_quota"),
    "529": _refusal(529, "overloaded_error"),
    "hang": {"hang": True},
}
FOR_GOOD = {"401", "quota"}


def dead_provider(bench: Bench, folder: Path, *, death: str) -> Tally:
    """Let a batch meet a dead provider, and go on with it when that has come back to life."""
    tally = Tally(f"F10 {death}")
    world = World(bench, folder, TOOLS)
    env = {**world.env, "PANEL_TIMEOUT": "1"}
    bench.ledger.behave(**DEATHS[death])
    life = world.start(env=env)
    code = life.wait()
    tally.notes["asked"] = asked = bench.ledger.starts
    if code != STOPPED or "panel batch resume" not in last_line(life) or "Traceback" in life.err:
        tally.breach("F10", f"ended with {code}: {world.words(life)}")
    if death in FOR_GOOD and asked > CONCURRENCY + SPARE:
        tally.breach("F10", f"{asked} calls were made, {CONCURRENCY + SPARE} would do")
    bench.ledger.behave()
    finish(world, tally)
    checks.at_the_end(world, tally, bound=0)
    return tally
