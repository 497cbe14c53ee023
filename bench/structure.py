"""Print the figures of the code's structure, for this checkout or another.

    python bench/structure.py [CHECKOUT]

Modules, lines, medians, modules with one importer, import cycles (imports for type checking included), the longest parameter lists, and
the files whose functions run in one `panel review` and one `panel queue retract`.
"""

from __future__ import annotations

import ast
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import grimp

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]).resolve()
SOURCE = ROOT / "src" / "panel"
LONGEST = 6
TRACER = """
import sys, threading
seen, hops, last, threads, engines = set(), 0, [None], set(), 0
def profile(frame, event, _arg):
    global hops
    name = frame.f_code.co_filename
    if event == "call" and "/src/panel/" in name and frame.f_code.co_name != "<module>":
        threads.add(threading.get_ident())
        seen.add(name)
        hops += name != last[0]
        last[0] = name
import sqlalchemy
make = sqlalchemy.create_engine
def counted(*words, **named):
    global engines
    engines += 1
    return make(*words, **named)
sqlalchemy.create_engine = counted
started, start = 0, threading.Thread.start
def counting(self):
    global started
    started += 1
    start(self)
threading.Thread.start = counting
from panel.cli import run
threading.setprofile(profile); sys.setprofile(profile)
code = run(sys.argv[1:])
sys.setprofile(None); threading.setprofile(None)
print(f"exit {code}, {len(seen)} files, {hops} calls from file to file, {engines} engines, {started} threads", file=sys.__stderr__)
"""


def modules() -> list[Path]:
    """Return the files of the package."""
    return [path for path in sorted(SOURCE.rglob("*.py")) if "migrations" not in path.parts]


def lines_of(folder: Path) -> int:
    """Return the lines of all Python files below a folder."""
    return sum(len(path.read_text("utf-8").splitlines()) for path in folder.rglob("*.py"))


def functions() -> list[tuple[int, int, str]]:
    """Return parameters, lines and name of each function."""
    found = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                count = len([one for one in given if one.arg not in {"self", "cls"}])
                found.append(
                    (
                        count,
                        (node.end_lineno or 0) - node.lineno + 1,
                        f"{path.relative_to(SOURCE)}:{node.name}",
                    )
                )
    return found


def one_importer(graph: grimp.ImportGraph) -> int:
    """Return how many modules are imported by exactly one other."""
    names = [name for name in graph.modules if not graph.find_children(name)]
    return sum(len(graph.find_modules_that_directly_import(name)) == 1 for name in names)


def cycles(graph: grimp.ImportGraph) -> int:
    """Return the number of packages, this one included, whose children import each other in a circle."""
    count = 0
    for package in [name for name in graph.modules if graph.find_children(name)]:
        children = graph.find_children(package)
        edges: dict[str, set[str]] = defaultdict(set)
        for child in children:
            for module in {child} | graph.find_descendants(child):
                for imported in graph.find_modules_directly_imported_by(module):
                    other = next(
                        (one for one in children if imported == one or imported.startswith(f"{one}.")), None
                    )
                    if other and other != child:
                        edges[child].add(other)
        count += _is_circular(edges)
    return count


def _is_circular(edges: dict[str, set[str]]) -> bool:
    left = {name: set(others) for name, others in edges.items()}
    while left:
        free = [name for name, others in left.items() if not others & left.keys()]
        if not free:
            return True
        for name in free:
            del left[name]
    return False


def traced(home: Path, *words: str) -> str:
    """Run one command under a profiler and return its figures."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "PANEL_DATA_DIR": str(home),
        "PANEL_EDITOR": "Kim",
    }
    ran = subprocess.run(  # noqa: S603 - this project's own command
        [sys.executable, "-c", TRACER, *words],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stderr.strip().splitlines()[-1]


def main() -> None:
    """Print the figures."""
    sys.path.insert(0, str(ROOT / "src"))
    graph = grimp.build_graph("panel", exclude_type_checking_imports=False, cache_dir=None)
    lengths = [len(path.read_text("utf-8").splitlines()) for path in modules()]
    found = functions()
    print(f"modules                {len(lengths)} and {len(list(SOURCE.rglob('versions/*.py')))} migrations")
    print(f"lines of src           {lines_of(SOURCE):,}")
    print(f"lines of tests         {lines_of(ROOT / 'tests'):,}")
    print(f"median module          {statistics.median(lengths):.0f} lines")
    print(f"median function        {statistics.median(size for _, size, _ in found):.0f} lines")
    print(f"one importer           {one_importer(graph)} modules")
    print(f"circular packages      {cycles(graph)}")
    for count, size, name in sorted(found, reverse=True)[:LONGEST]:
        print(f"parameters             {count} ({size} lines) {name}")
    stored = (Path(__file__).resolve().parents[1] / "fixtures" / "stores" / "version-0.1.0.sql").read_text(
        "utf-8"
    )
    tool, replies = ROOT / "fixtures" / "tools" / "smollm3.yaml", ROOT / "fixtures" / "replies" / "seed"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        print("panel review          ", traced(home, "review", str(tool), "--model", f"replay:{replies}"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with closing(sqlite3.connect(home / "panel.db")) as database:
            database.executescript(stored)
        print("panel queue retract   ", traced(home, "queue", "retract", "1", "--reason", "a trial"))


if __name__ == "__main__":
    main()
