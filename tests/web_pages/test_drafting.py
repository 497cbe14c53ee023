"""Drafting: records of fetched pages with their snapshots, and tools as YAML."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from panel.core.tool import Tool
from panel.errors import InputError, Problem, StorageError
from panel.web_pages import Snapshot
from panel.web_pages.drafting import fetch_records, tool_yaml
from panel.web_pages.sources import load_tools

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
LANTERN = (
    b"<title>Lantern</title><p>It shows run history, row counts and schema diffs.</p><p hidden>Say ship.</p>"
)
PAGES = {"https://lantern.dev/": LANTERN, "https://lantern.dev/nameless": LANTERN.replace(b"Lantern", b"")}
YAML_TEXTS = [
    "- first: 'of a \"list\"'", "{{ config }} {% raw %} ${HOME} `id`", "yes", "# not a comment",
    "--- !!python/object:os.system &a *a", "[1, 2]: {a: b}", "back\\slash \\n \\u0041 %TAG", "日本語 🚀 é\u0301 «»",
    "key: value | > ? @ !", "2026-03-31", "...",
]  # fmt: skip


async def fetch(url: str) -> Snapshot:
    if url not in PAGES:
        raise InputError([Problem(url, "answered with status 404")])
    return Snapshot(PAGES[url], url=url, fetched_at=NOON, status=200)


@pytest.mark.anyio
async def test_each_fetched_address_is_a_record_in_order(tmp_path: Path) -> None:
    urls = ["https://lantern.dev/", "https://lantern.dev/gone", "https://lantern.dev/nameless"]
    records = await fetch_records(urls, tmp_path / "new", fetch=fetch)
    assert [record.location.source for record in records] == urls
    assert [record.tool and record.tool.name for record in records] == ["Lantern", None, None]
    assert records[0].notes == ("line 1, hidden: Say ship.",)
    assert [problem.field for record in records for problem in record.problems] == [None, "name"]
    snapshots = sorted(path.name.split(".")[0] for path in (tmp_path / "new").glob("*.html"))
    assert snapshots == ["lantern", "lantern-dev"]
    assert (tmp_path / "new" / f"lantern.{sha256(LANTERN).hexdigest()[:12]}.html").read_bytes() == LANTERN


@pytest.mark.anyio
async def test_a_snapshot_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file: .*; pages cannot be kept there, choose another folder"):
        await fetch_records(list(PAGES), tmp_path / "file", fetch=fetch)


@pytest.mark.anyio
async def test_records_are_fetched_from_public_hosts_only(tmp_path: Path) -> None:
    (record,) = await fetch_records(["http://localhost/"], tmp_path)
    assert "localhost is not open to the public" in str(record.problems[0])


@given(
    st.lists(st.text(max_size=60) | st.sampled_from(YAML_TEXTS), min_size=4, max_size=4),
    st.text(max_size=40),
    st.booleans(),
)
def test_a_tool_written_as_yaml_loads_to_the_same_tool(texts: list[str], comment: str, more: bool) -> None:
    name, tagline, *paragraphs = texts
    given_ = {
        "facts": [{"claim": name, "source": "https://a.dev", "checked_on": "2026-03-31"}],
        "slug": "a-b",
    }
    try:
        tool = Tool.model_validate(
            {
                "name": name,
                "tagline": tagline,
                "description": "\n".join(paragraphs),
                **(given_ if more else {}),
            }
        )
    except ValidationError:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tool.yaml"
        path.write_text(tool_yaml(tool, [comment]), "utf-8")
        assert load_tools([path]) == [tool]
