from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from panel.core.draft_edits import ScoreChange
from panel.core.draft_state import Action
from panel.errors import RunStopped, SettingsError, StorageError
from panel.site.build_cache import WrittenFile, open_cache
from panel.site.output_dir import MARKER, OutputDir
from panel.store import open_store
from publishing import Site, copy_store, correct, make_pair, make_review, publish, put_draft
from store.editing import brought, do

pytestmark = pytest.mark.anyio


async def test_only_published_reviews_have_a_page(site: Site) -> None:
    for name, steps in (("One", ()), ("Two", ("open", "approve")), ("Three", ("open", "reject"))):
        await brought(site.store, await put_draft(site.store, make_review(name)), *steps)
    await publish(site.store, make_review("Four"))
    built = await site.build()
    assert built.reviews == 1
    assert [name for name in ("one", "two", "three", "four") if (site.folder / "tools" / name).exists()] == [
        "four"
    ]


async def test_a_build_without_a_change_writes_nothing(site: Site) -> None:
    await publish(site.store, *make_pair())
    first = await site.build()
    before = site.files()
    second = await site.build()
    assert (first.kept, second.written, second.kept, second.removed) == (0, 0, first.files, 0)
    assert site.files() == before


async def test_equal_reviews_make_equal_bytes(site: Site, tmp_path: Path) -> None:
    await publish(site.store, *make_pair())
    await site.build()
    other = Site(site.store, tmp_path / "other")
    await other.build()
    assert other.files() == site.files()


async def test_a_correction_rebuilds_the_files_that_show_it_and_no_others(site: Site) -> None:
    draft, *_ = await publish(
        site.store,
        make_review("Lantern", category="Logs"),
        make_review("Sextant", category="Logs"),
        make_review("Palette", category="Design"),
    )
    await site.build()
    before = {path: (site.folder / path).stat().st_ino for path in site.files()}
    await correct(site.store, draft, ScoreChange(persona="builder", value=71))
    built = await site.build()
    after = {path: (site.folder / path).stat().st_ino for path in site.files()}
    changed = {path for path in after if after[path] != before.get(path)} - {MARKER}
    assert built.written == len(changed)
    expected = {"index.html", "tools/lantern/index.html", "compare/lantern-vs-sextant/index.html", "feed.xml"}
    assert expected <= changed
    untouched = {
        "tools/palette/index.html",
        "tools/palette/card.png",
        "category/design/index.html",
        "404.html",
    }
    assert untouched.isdisjoint(changed)


async def test_an_incremental_build_equals_one_from_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after corrections, a retraction and new tools, full pages of lists included."""
    monkeypatch.setattr("panel.site.catalog.PAGE_SIZE", 2)
    drafts = await publish(site.store, *(make_review(f"Tool {n}", category="Logs") for n in range(8)))
    await site.build()
    await correct(site.store, drafts[-1], ScoreChange(persona="skeptic", value=20))
    await do(site.store, drafts[-2], Action.RETRACT, reason="The maker took it back.")
    await publish(site.store, *(make_review(f"Newcomer {n}", category="Logs") for n in range(3)))
    await site.build()
    other = Site(site.store, tmp_path / "other")
    await other.build()
    assert other.files() == site.files()


async def test_a_file_that_was_edited_by_hand_is_made_again(site: Site) -> None:
    await publish(site.store, make_review())
    await site.build()
    whole = site.files()
    (site.folder / "index.html").write_text("defaced")
    (site.folder / "robots.txt").unlink()
    built = await site.build()
    assert (built.written, site.files()) == (2, whole)


async def test_a_foreign_folder_is_left_alone(site: Site) -> None:
    site.folder.mkdir()
    (site.folder / "thesis.txt").write_text("years of work")
    with pytest.raises(SettingsError, match="not a site that panel made"):
        await site.build()
    assert [path.name for path in site.folder.parent.glob("*")].count("site") == 1
    assert (site.folder / "thesis.txt").read_text() == "years of work"


async def test_a_site_with_foreign_files_is_left_alone(site: Site) -> None:
    """Foreign files are named and not lost, also without a cache; files of file managers do not matter."""
    await publish(site.store, make_review())
    await site.build()
    (site.folder / "tools" / ".DS_Store").write_text("")
    await site.build()
    for name in ("CNAME", "img/one.png", "img/two.png", ".well-known/x"):
        (site.folder / name).parent.mkdir(exist_ok=True)
        (site.folder / name).write_text("mine")
    before = site.files()
    for cached in (True, False):
        if not cached:
            site.cache.unlink()
        with pytest.raises(
            SettingsError, match=r"did not make: \.well-known/x, CNAME, img/one\.png and 1 more"
        ):
            await site.build()
        assert site.files() == before


async def test_an_empty_database_does_not_wipe_a_site(site: Site, empty: Path, tmp_path: Path) -> None:
    await publish(site.store, make_review())
    await site.build()
    before = site.files()
    async with open_store(copy_store(empty, tmp_path / "wrong.db")) as wrong:
        with pytest.raises(SettingsError, match="is it the right one"):
            await Site(wrong, site.folder).build()
    assert site.files() == before


@pytest.mark.parametrize("step", ["pages.reviews._tool_page", "output_dir.OutputDir.swap"])
async def test_a_build_that_fails_leaves_the_old_site(
    site: Site, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Readers keep the whole old site, and the next build makes the new one."""
    draft, *_ = await publish(site.store, make_review())
    await site.build()
    before = site.files()
    await correct(site.store, draft, ScoreChange(persona="builder", value=71))

    def broken(*_: object) -> bytes:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(f"panel.site.{step}", broken)
        with pytest.raises(StorageError, match="the disk is full"):
            await site.build()
    assert site.files() == before
    assert (await site.build()).written > 0
    assert "71/100" in site.page("tools/lantern/")


async def test_a_killed_build_does_no_harm(site: Site) -> None:
    """The next build replaces and removes the files that it left in the spare folder."""
    await publish(site.store, make_review(), make_review("Sextant"))
    await site.build()
    before = site.files()
    half = site.folder.with_name(".site.spare")
    for path in ("index.html", "tools/lantern/index.html", "tools/gone/index.html", MARKER):
        (half / path).parent.mkdir(parents=True, exist_ok=True)
        (half / path).write_text("half")
    await site.build()
    assert site.files() == before
    await site.build()
    assert site.files() == before


async def test_the_site_before_is_the_spare_of_the_next_build(site: Site) -> None:
    """Builds take turns between two folders; equal files are links, and no build writes into the other folder."""
    draft, *_ = await publish(site.store, make_review(), make_review("Sextant"))
    await site.build()
    spare = Site(site.store, site.folder.with_name(".site.spare"))
    for score in (71, 72, 73):
        before = site.files()
        await correct(site.store, draft, ScoreChange(persona="builder", value=score))
        await site.build()
        assert spare.files() == before
        assert f"{score}/100" in site.page("tools/lantern/")
        same = [(place.folder / "tools/sextant/index.html").stat().st_ino for place in (site, spare)]
        assert same[0] == same[1]


async def test_two_builds_at_once_do_not_mix(site: Site) -> None:
    await publish(site.store, make_review())
    with open_cache(site.cache), pytest.raises(RunStopped, match="another build"):
        await site.build()


async def test_a_damaged_cache_stops_the_build(site: Site) -> None:
    """The line says which file to delete; the next build does without it."""
    await publish(site.store, make_review())
    await site.build()
    site.cache.write_bytes(b"not a database, whatever else it is" * 40)
    with pytest.raises(StorageError, match="delete the file"):
        await site.build()
    site.cache.unlink()
    assert (await site.build()).kept == 0


async def test_folders_are_renamed_where_they_cannot_be_exchanged(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.site.output_dir._exchange", lambda *_: False)
    draft, *_ = await publish(site.store, make_review())
    await site.build()
    await correct(site.store, draft, ScoreChange(persona="builder", value=71))
    await site.build()
    assert "71/100" in site.page("tools/lantern/")
    await correct(site.store, draft, ScoreChange(persona="builder", value=72))
    await site.build()
    assert "72/100" in site.page("tools/lantern/")


def test_the_root_of_the_file_system_is_refused() -> None:
    with pytest.raises(SettingsError, match="a folder of its own"):
        OutputDir(Path("/"))


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "site").symlink_to(tmp_path / "real")
    with pytest.raises(SettingsError, match="not a site"):
        OutputDir(tmp_path / "site")


def test_a_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        OutputDir(tmp_path / "file" / "site").begin()


def test_a_build_that_fails_leaves_the_cache_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "cache.db"

    def build() -> None:
        with open_cache(file) as cache:
            cache.put_file("index.html", WrittenFile(b"1", 1, 1))
            raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        build()
    with open_cache(file) as cache:
        assert cache.file("index.html") is None


def test_a_cache_of_panel_0_1_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "cache.db"
    with closing(sqlite3.connect(file)) as old, old:
        old.execute(
            "CREATE TABLE records (tool INTEGER PRIMARY KEY, key TEXT, card TEXT, words TEXT, record TEXT)"
        )
        old.execute("INSERT INTO records VALUES (1, 'k', '{}', '', '{}')")
    with open_cache(file) as cache:
        assert cache.summary(1, "k") is None
