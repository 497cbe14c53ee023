"""From probabilities of words to a score and a verdict: the same sums for all personas, with their own words and figures.

On the tools of `fixtures/embedded/calibration.jsonl`, reading the whole tells the great from the middling and reading sentence by
sentence tells the awful from the middling; the sum ranks better than either. `bench/ranking.py` prints how well.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from panel.core.base import Frozen
from panel.core.prompt import Calibration, Scale
from panel.core.take import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from panel.core.prompt import Probe

LOWEST_SHIP_SCORE = 50
UNSEEN = 0.5
"""How much less likely than the least likely listed word a word is taken to be that is not listed."""

UNCALIBRATED = Calibration(
    model="any",
    whole=Scale(centre=0.0, spread=1.0),
    sentences=Scale(centre=0.0, spread=1.0),
    judgement=Scale(centre=0.0, spread=1.0),
)


class Reading(Frozen):
    """What a model's probabilities say about a listing, in natural logarithms; above 0 speaks for the tool.

    Attributes:
        whole: of the listing as a whole.
        sentences: of each of its sentences, in their order.
    """

    whole: float
    sentences: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the sentences."""
        return sum(self.sentences) / len(self.sentences)


def leaning(likely: Mapping[str, float], probe: Probe) -> float:
    """Return how much likelier a probe's favourable words are than its unfavourable ones, in logarithms, on average."""
    lowest = min(likely.values()) - UNSEEN

    def mean(words: Sequence[str]) -> float:
        return sum(likely.get(word, lowest) for word in words) / len(words)

    return mean(probe.favourable) - mean(probe.unfavourable)


def judgement_of(reading: Reading, calibration: Calibration) -> float:
    """Return the sum of both readings, each in units of its scale."""
    return calibration.whole.of(reading.whole) + calibration.sentences.of(reading.mean)


def probability_of(reading: Reading, calibration: Calibration) -> float:
    """Return the probability of a ship: the logistic function of the judgement."""
    odds = calibration.judgement.of(judgement_of(reading, calibration))
    return 1 / (1 + math.exp(-max(min(odds, 50.0), -50.0)))


def score_of(probability: float) -> int:
    """Return the score: the probability in hundredths, rounded."""
    return round(100 * probability)


def verdict_of(score: int) -> Verdict:
    """Return ship from a score of 50, else skip."""
    return Verdict.SHIP if score >= LOWEST_SHIP_SCORE else Verdict.SKIP
