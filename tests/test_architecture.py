from __future__ import annotations

import ast
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


def test_every_test_states_a_fact() -> None:
    """Each test has a docstring of one sentence."""
    silent = [
        f"{path.name}: {node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        if not (ast.get_docstring(node) or "").endswith(".")
    ]
    assert silent == []
