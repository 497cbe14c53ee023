"""Benchmarks and test sets that a take names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from panel.checks.registry import Claim, Claims, ClaimText, Meaning, Wording, claim_check

# Names that mean nothing else, in any case; then those that are words or initials, as they are written.
_KNOWN = (
    r"MMLU(?:-Pro)?|MMMU|HumanEval\+?|GSM-?8K|GPQA(?: Diamond)?|HellaSwag|TruthfulQA|WinoGrande|BIG-bench(?: Hard)?"
    r"|SWE-?bench(?: Verified| Lite)?|MBPP\+?|LiveCodeBench|IFEval|MT-Bench|AlpacaEval|LMArena|Chatbot Arena|ARC-AGI(?:-[0-9])?"
    r"|ARC-C(?:hallenge)?|SuperGLUE|SQuAD|ImageNet|MS-?COCO|TPC-(?:H|DS|C)|YCSB|Geekbench|Cinebench|MLPerf|SPECint"
    r"|Terminal-?Bench|tau-bench|BFCL|WebArena|OSWorld|MTEB|BEIR|LibriSpeech|AIME(?: 20[0-9]{2})?|TabMWP"
    r"|BIRD-SQL|FLORES(?:-[0-9]+)?|TriviaQA|HotpotQA|BoolQ|OpenBookQA|DocVQA|ChartQA"
)
_AS_WRITTEN = (
    r"LAMBADA|Common Voice|GLUE|MATH(?:-500)?|DROP|BBH|HLE|RULER|Spider|BLEU|COCO|Humanity's Last Exam"
)
_SHAPED = r"[A-Z]\w{1,20}-?[Bb]ench|[A-Z]\w{1,20}(?:QA|Eval)"
_BENCHMARK = re.compile(rf"(?<![\w-])(?:(?i:{_KNOWN})|{_AS_WRITTEN}|{_SHAPED})(?![\w-])")


@dataclass(frozen=True)
class Benchmark(Meaning):
    """A benchmark by its letters and digits, without case."""

    name: str


@claim_check("benchmark", precedence=20, wording=Wording.PHRASE)
def _read(subject: ClaimText) -> Claims:
    for found in _BENCHMARK.finditer(subject.text):
        yield Claim(found.span(), Benchmark("".join(filter(str.isalnum, found[0].lower()))))
