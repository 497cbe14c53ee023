"""Results of a scenario, as a row of the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HEADS = ("run", "seed", "count", "kills", "starts", "answers", "repeats", "bound", "duplicates", "torn", "integrity", "seconds")  # fmt: skip


@dataclass
class Tally:
    """Counts of one scenario.

    Attributes:
        run: name of the scenario, such as `F1`.
        seed: seed of the random times.
        count: worlds that were finished.
        kills: processes that were ended from outside, or at a kill point.
        starts: questions that the model server received.
        answers: questions that it answered.
        repeats: answers that were paid for again.
        bound: repeats that are allowed.
        duplicates: rows that exist twice.
        torn: files that a reader found incomplete.
        unsound: databases that failed a check.
        notes: further results, by name.
        broken: breaches of invariants, in words.
    """

    run: str
    seed: int = 0
    count: int = 0
    kills: int = 0
    starts: int = 0
    answers: int = 0
    repeats: int = 0
    bound: int = 0
    duplicates: int = 0
    torn: int = 0
    unsound: int = 0
    seconds: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def row(self) -> tuple[str, ...]:
        """Its cells, in the order of `HEADS`."""
        integrity = "ok" if not self.unsound else f"{self.unsound} unsound"
        return (
            self.run,
            *(f"{n:,}" for n in (self.seed, self.count, self.kills, self.starts, self.answers)),
            *(f"{n:,}" for n in (self.repeats, self.bound, self.duplicates, self.torn)),
            integrity,
            f"{self.seconds:.1f}",
        )

    def breach(self, invariant: str, words: str) -> None:
        """Note a breach of an invariant."""
        self.broken.append(f"{self.run} seed {self.seed}: {invariant}: {words}")

    def __str__(self) -> str:
        cells = ", ".join(f"{head} {cell}" for head, cell in zip(HEADS, self.row, strict=True))
        more = "".join(f", {name} {value}" for name, value in self.notes.items())
        return "\n".join([f"{cells}{more}", *self.broken])
