"""Published reviews, and sites built from them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import builders
from panel.core.draft_state import Action
from panel.site import BuildPaths, SiteOptions, build_site
from panel.store.store import database_at
from store.editing import brought, do, resolve_all

if TYPE_CHECKING:
    from pathlib import Path

    from panel.checks import Finding
    from panel.core.review import PanelReview
    from panel.site import BuildResult
    from panel.store import Store

URL = "https://reviews.example"
TAKES = (
    "It reads log files and says where they stop; that is a job which somebody has every week of the year.",
    "Whoever keeps logs has scripts that read them; what is new here is that somebody else maintains those.",
    "A script of ten lines does the same, and nobody needs to learn another name for it before the next fire.",
    "The files outlive the tool that reads them, which is a better bet on the future than most launches make.",
    "Nobody who makes things for others opens a log file on purpose, so that the question hardly ever arises.",
)


def unchecked(_review: PanelReview) -> tuple[Finding, ...]:
    """Find nothing."""
    return ()


def make_review(name: str = "Lantern", *scores: int, **fields: Any) -> PanelReview:
    """Return a review with a distinct take for each score; scores from 50 on ship."""
    given = scores or (70, 80, 45, 60, 30)
    outcomes = [
        builders.take(score, "ship" if score >= 50 else "skip", TAKES[n % len(TAKES)])
        for n, score in enumerate(given)
    ]
    return builders.review(*outcomes, of=builders.tool(name, **fields))


def make_pair() -> tuple[PanelReview, PanelReview]:
    """Return reviews of two tools of one category, which are compared."""
    return make_review("Lantern", category="Logs"), make_review("Sextant", category="Logs")


async def put_draft(store: Store, review: PanelReview, kind: str = "review", run: int | None = None) -> int:
    """Store a review as a draft of a run."""
    run = await store.runs.create(kind, {}) if run is None else run
    await store.runs.add_tools(run, [review.tool])
    version = await store.tools.put(review.tool)
    return await store.drafts.put(review, run, version, anew=True, checks=unchecked)


async def publish(store: Store, *reviews: PanelReview, kind: str = "review") -> list[int]:
    """Publish reviews, and return the numbers of their drafts."""
    run = await store.runs.create(kind, {})
    drafts = [await put_draft(store, review, run=run) for review in reviews]
    for draft in drafts:
        await brought(store, draft, "open")
        await resolve_all(store, draft)
        await brought(store, draft, "approve", "publish")
    return drafts


async def correct(store: Store, draft: int, *changes: Any) -> None:
    """Edit a published review, and publish it again."""
    await do(store, draft, Action.EDIT, changes=changes, reason="It was wrong.")
    await resolve_all(store, draft)
    await brought(store, draft, "approve", "publish")


class Site(NamedTuple):
    """A site built from a store."""

    store: Store
    folder: Path

    async def build(self, **options: Any) -> BuildResult:
        known: dict[str, Any] = {"url": URL, "name": "Panel reviews", "generator": "panel 0"}
        settings = SiteOptions(**{**known, "critics": critics(), **options})
        return await build_site(self.store, settings, BuildPaths(self.folder, self.cache))

    @property
    def cache(self) -> Path:
        return self.folder.with_suffix(".cache")

    def text(self, path: str) -> str:
        return (self.folder / path).read_text("utf-8")

    def raw(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    def page(self, path: str) -> str:
        return self.text(f"{path}index.html")

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def pages(self) -> list[str]:
        return sorted(name for name in self.files() if name.endswith(".html"))


def critics() -> Any:
    """Return the critics that come with panel."""
    from panel.prompts.files import load_personas, shipped

    known = load_personas(shipped("personas"))
    return tuple(known[name] for name in builders.ROSTER)


def empty_store(path: Path) -> Path:
    """Create an empty store in a file."""
    database = database_at(path)
    database.prepare()
    database.close()
    return path


def copy_store(empty: Path, path: Path) -> Path:
    """Copy an empty store, which is faster than creating one."""
    shutil.copy(empty, path)
    return path
