from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_walls_between_rooms_stand() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from panel.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"openai", "anthropic", "httpx2", "xllamacpp", "jinja2", "pydantic", "ruamel", "tenacity"}
    assert heavy.isdisjoint(done.stderr.split())


def test_a_review_without_a_store_loads_no_database(tmp_path: Path) -> None:
    words = [
        "review",
        "fixtures/tools/smollm3.yaml",
        "--model",
        "mock",
        "--no-store",
        "--out",
        str(tmp_path),
        "-q",
    ]
    code = f"import sys; from panel.cli import run; run({words}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"sqlalchemy", "alembic"}.isdisjoint(done.stderr.split())
    assert any(tmp_path.rglob("*.html"))


def test_the_picture_of_the_packages_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "draw_packages.py", "--check"], cwd=ROOT, check=False
    )
    assert done.returncode == 0, "run: python docs/draw_packages.py"


def test_the_files_named_by_the_architecture_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = {name for name in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if not name.startswith("http")}
    there = [ROOT, ROOT / "src" / "panel", ROOT / "docs"]
    missing = {
        name for name in named if "NAME" not in name and not any((base / name).exists() for base in there)
    }
    assert missing == set()
