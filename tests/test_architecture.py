from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_walls_between_rooms_stand() -> None:
    """Every import contract in pyproject.toml is kept."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_help_imports_nothing_heavy() -> None:
    """`panel --help` loads no SDK, no model runtime, no template engine and no validation library."""
    code = "import sys; from panel.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"openai", "anthropic", "httpx2", "xllamacpp", "jinja2", "pydantic", "ruamel", "tenacity"}
    assert heavy.isdisjoint(done.stderr.split())
