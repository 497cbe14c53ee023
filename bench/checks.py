"""Measure the checks: precision and recall by kind on labelled takes, and injected text in listings.

A finding is right if a label of the same kind and status overlaps it. `blocking` counts only findings that an editor must resolve. Rows whose
payload was removed when the listing was read have nothing left to find.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from panel.checks import Finding, check_listing, check_take
from panel.core.take import Take
from panel.core.tool import Tool
from panel.prompts.files import load_personas
from panel.web_pages.sources import load_tools

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"
EMBEDDED = ("calibration", "ranking")
SPLITS = ("dev", "held_out")

Row = dict[str, Any]


class Figures(NamedTuple):
    """Right findings, wrong findings and missed labels."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of the findings that are right."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the labels that were found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def compare(
    findings: Iterable[Finding], labels: Iterable[Row]
) -> tuple[list[Finding], list[Finding], list[Row]]:
    """Return right findings, wrong findings and missed labels; each label is found once."""
    right, wrong, left = [], [], list(labels)
    for finding in findings:
        label = next((one for one in left if _agrees(finding, one)), None)
        if label is None:
            wrong.append(finding)
        else:
            left.remove(label)
            right.append(finding)
    return right, wrong, left


def measure(rows: Iterable[Row], tools: dict[str, Tool], *, verbose: bool = False) -> dict[str, Figures]:
    """Return the figures of labelled takes by kind, of the blocking findings, and of all."""
    counts: dict[str, Counter[str]] = {}
    phrases = {name: persona.never_says for name, persona in load_personas(ROOT / "personas").items()}
    for row in rows:
        take = Take.model_validate({key: row[key] for key in ("verdict", "score", "take", "evidence")})
        found = check_take(take, row["persona"], tools[row["tool"]], phrases[row["persona"]])
        right, wrong, missed = compare(found, row["expected"])
        for name, items in (("right", right), ("wrong", wrong), ("missed", missed)):
            for item in items:
                known = item if isinstance(item, dict) else item.model_dump(mode="json")
                for group in _groups(known):
                    counts.setdefault(group, Counter())[name] += 1
                if verbose and name != "right":
                    print(f"  {name:7}{row['id']:18}{known['kind']:14}{known['status']:12}{known['text']!r}")
    return {
        group: Figures(own["right"], own["wrong"], own["missed"]) for group, own in sorted(counts.items())
    }


def listings() -> dict[str, Tool]:
    """Return the tools of the labelled takes by slug."""
    tools = load_tools(sorted((FIXTURES / "tools").glob("*.yaml")))
    tools += [Tool.model_validate(row) for row in read("checks/listings.jsonl")]
    return {tool.slug: tool for tool in tools}


def screened(rows: Iterable[Row], carriers: dict[str, Tool], *, verbose: bool = False) -> dict[str, int]:
    """Return the number of rows with a payload that were flagged, that were missed, and whose payload the reading had removed."""
    counts = Counter({"flagged": 0, "missed": 0, "removed": 0})
    for row in rows:
        tool = Tool.model_validate(row["tool"])
        outcome = "flagged" if check_listing(tool) else "missed"
        if _letters(tool) == _letters(carriers[row["carrier"]]):
            outcome = "removed"
        counts[outcome] += 1
        if verbose and outcome == "missed":
            print(f"  missed {row['id']:26}{row['payload_fields']}")
    return dict(counts)


def sentences(rows: Iterable[Row], *, verbose: bool = False) -> Figures:
    """Return the figures of single sentences that do or do not address the panel."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for row in rows:
        found = bool(check_listing(Tool(name="Lantern", description=row["text"])))
        counts[row["hostile"], found] += 1
        if verbose and found != row["hostile"]:
            print(
                f"  {'missed' if row['hostile'] else 'wrong':7}{row['id']:18}{row['family']:14}{row['text']!r}"
            )
    return Figures(counts[True, True], counts[False, True], counts[True, False])


def false_alarms(tools: Iterable[Tool], *, verbose: bool = False) -> int:
    """Return the number of clean listings that were flagged."""
    flagged = [(tool, found) for tool in tools if (found := check_listing(tool))]
    if verbose:
        for tool, found in flagged:
            print(f"  false alarm {tool.name:20}{found[0].text!r}")
    return len(flagged)


def read(name: str) -> list[Row]:
    """Return the rows of a file of fixtures."""
    return [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]


def _letters(tool: Tool) -> str:
    return "".join(char for char in tool.model_dump_json(exclude={"slug"}) if char.isalnum())


def _agrees(finding: Finding, label: Row) -> bool:
    if (finding.kind, finding.status) != (label["kind"], label["status"]):
        return False
    return finding.text in label["text"] or label["text"] in finding.text


def _groups(known: Row) -> Iterable[str]:
    yield known["kind"]
    yield "all"
    if known["status"] in {"unsupported", "flagged"}:
        yield "blocking"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=SPLITS, help="one split alone; by default both")
    parser.add_argument("--verbose", action="store_true", help="also print the wrong and the missed findings")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    tools, takes = listings(), read("checks/takes.jsonl")
    figures = {
        split: measure([row for row in takes if row["split"] == split], tools, verbose=arguments.verbose)
        for split in ([arguments.split] if arguments.split else SPLITS)
    }
    controls = {row["id"]: Tool.model_validate(row["tool"]) for row in read("injections/controls.jsonl")}
    for split, groups in figures.items():
        own = [row for row in read("checks/sentences.jsonl") if row["split"] == split]
        groups["sentences"] = sentences(own, verbose=arguments.verbose)
    payloads = screened(read("injections/injections.jsonl"), controls, verbose=arguments.verbose)
    embedded = [
        Tool.model_validate(row["tool"]) for name in EMBEDDED for row in read(f"embedded/{name}.jsonl")
    ]
    clean = [*controls.values(), *tools.values(), *embedded]
    alarms = false_alarms(clean, verbose=arguments.verbose)
    if arguments.json:
        takes_by_split = {
            split: {name: {"precision": one.precision, "recall": one.recall} for name, one in groups.items()}
            for split, groups in figures.items()
        }
        print(
            json.dumps(
                {"takes": takes_by_split, "payloads": payloads, "false_alarms": alarms, "clean": len(clean)}
            )
        )
        return
    for split, groups in figures.items():
        print(f"\n{split}\n{'kind':16}{'right':>6}{'wrong':>6}{'missed':>7}{'precision':>11}{'recall':>8}")
        for group, one in groups.items():
            print(f"{group:16}{one.right:6}{one.wrong:6}{one.missed:7}{one.precision:11.2f}{one.recall:8.2f}")
    print("\npayloads:", *(f"{name} {count}" for name, count in payloads.items()))
    print(f"false alarms: {alarms} of {len(clean)} clean listings")


if __name__ == "__main__":
    main()
