"""What a user waits for before anything happens: `panel --help`, and the first request of `panel review`, as a line of JSON.

Each is held against the least that it could be, in turns: a bare typer app with as many commands, and an import of the one SDK
that is needed. Help is measured in processor time; a first request from the start of the process to the server's stamp.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "fixtures" / "tools" / "smollm3.yaml"
MODELS = {"openai": "openai:gpt-6-luna", "anthropic": "anthropic:claude-haiku-5-5"}
PANEL = "from panel.cli import main; main()"
BARE = """
import typer
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
for name in ("review", "compare", "prompt", "parse", "personas", "config", "schema"):
    def command(tools: list[str], model: str = "", quiet: bool = False) -> None: ...
    app.command(name, help="Do something.")(command)
app()
"""


def python(code: str, *arguments: str, folder: str, **environment: str) -> str:
    """Run code in a new interpreter, away from the user's own settings, and return what it prints."""
    homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), folder)
    done = subprocess.run(  # noqa: S603 - this project's own command
        [sys.executable, "-c", code, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), **homes, **environment},
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def processor_of_help(code: str, folder: str) -> float:
    """Return the seconds of processor time that a program takes for its help."""

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    python(code, "--help", folder=folder)
    return spent() - before


def until_imported(provider: str, folder: str) -> float:
    """Return the seconds from the start of an interpreter until an SDK is imported."""
    began = time.time()
    return float(python(f"import {provider}, time; print(time.time())", folder=folder)) - began


def until_asked(provider: str, server: str, folder: str) -> float:
    """Return the seconds from the start of `panel review` until its first request comes in."""
    url = f"{server}/fixed/0" + ("/v1" if provider == "openai" else "")
    name = provider.upper()
    arguments = ("review", str(TOOL), "--model", MODELS[provider], "--out", folder, "--quiet")
    keys = {f"{name}_API_KEY": "bench", f"{name}_BASE_URL": url}
    counted(server)
    began = time.time()
    python(PANEL, *arguments, folder=folder, **keys)
    return counted(server)["first_request_at"] - began


def counted(server: str) -> dict[str, float]:
    """Return what the server has counted since it was last asked."""
    with urllib.request.urlopen(f"{server}/counters") as response:  # noqa: S310 - loopback
        counters: dict[str, float] = json.load(response)
    return counters


def measure(server: str, rounds: int) -> dict[str, float]:
    """Return the medians, in seconds, after a round that fills the disk's caches."""
    found: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        for _ in range(rounds + 1):
            once = {"help": processor_of_help(PANEL, folder), "bare": processor_of_help(BARE, folder)}
            for provider in MODELS:
                once[f"import {provider}"] = until_imported(provider, folder)
                once[f"ask {provider}"] = until_asked(provider, server, folder)
            for name, figure in once.items():
                found.setdefault(name, []).append(figure)
    return {name: median(figures[1:]) for name, figures in found.items()}


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("server", help="the fake server: http://127.0.0.1:PORT")
    parser.add_argument("rounds", type=int)
    given = parser.parse_args()
    print(json.dumps(measure(given.server, given.rounds)))


if __name__ == "__main__":
    main()
