"""From approved reviews to a folder that any web server can serve."""

from __future__ import annotations

import hashlib
import inspect
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from panel.core.base import Frozen
from panel.errors import SettingsError
from panel.site.build_cache import Written, remembered
from panel.site.catalog import read_shelf
from panel.site.critics import critic_files
from panel.site.feeds import feed_files
from panel.site.lists import list_files
from panel.site.output_dir import Tree
from panel.site.pairs import pairs_of
from panel.site.renderer import File, Renderer, code_digest
from panel.site.reviews import review_files
from panel.site.search import search_files
from panel.site.texts import text_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from panel.site.options import SiteOptions
    from panel.store import Store

HTML = ".html"


class Place(NamedTuple):
    """Where a site is built.

    Attributes:
        folder: where it belongs.
        memory: a file in which one build leaves for the next one what it needs to know.
        full: whether to forget that, and make every file anew.
    """

    folder: Path
    memory: Path
    full: bool = False


class Built(Frozen):
    """What a build made.

    Attributes:
        reviews: tools with a page.
        retracted: tools whose review was taken back.
        pages: pages of the site.
        files: files of the site, pages included.
        written: files that were made anew.
        kept: files that are as they were.
        removed: files that are no longer there.
    """

    reviews: int
    retracted: int
    pages: int
    files: int
    written: int
    kept: int
    removed: int


async def build_site(
    store: Store,
    options: SiteOptions,
    place: Place,
    progress: Callable[[int], None] = lambda _: None,
) -> Built:
    """Build the site of all reviews that are published, and put it in the place of the one before.

    Equal reviews and options make equal bytes. What did not change since the last build is not made again.

    Args:
        store: where the reviews are.
        options: what the site is told about itself.
        place: where the site is built.
        progress: told the number of files that are ready.

    Raises:
        SettingsError: the folder holds something else.
        RunStopped: another build of this site is at work.
        StorageError: a review was altered, or a file cannot be written; the old site is as it was.
    """
    code = code_digest()
    common = hashlib.sha256(f"{code} {options.digest}".encode()).digest()
    tree = Tree(place.folder)
    with remembered(place.memory) as known:
        if place.full:
            known.forget()
        shelf = await read_shelf(store, known, code, await store.votes.all_counts())
        if not shelf.cards and tree.has_reviews:
            raise SettingsError(
                f"{place.folder}: holds a site with reviews, and nothing is published in this database; is it the right one? "
                "If it is, delete the folder first"
            )
        tree.begin()
        press = Renderer(options, shelf)
        kept, written, pages = 0, 0, 0
        for number, file in enumerate(_files(press), start=1):
            digest = file.digest(common)
            earlier = known.file(file.path)
            if earlier and earlier.digest == digest and tree.keep(file.path, earlier):
                kept += 1
            else:
                known.put_file(file.path, Written(digest, *tree.write(file.path, await _made(file))))
                written += 1
            pages += file.path.endswith(HTML)
            progress(number)
        removed = known.drop_files(tree.has)
        tree.swap()
    return Built(
        reviews=len(shelf.live),
        retracted=len(shelf.cards) - len(shelf.live),
        pages=pages,
        files=written + kept,
        written=written,
        kept=kept,
        removed=removed,
    )


def _files(press: Renderer) -> Iterator[File]:
    pairs = pairs_of(press.shelf.cards, press.shelf.compared)
    shared = (File(path, (), partial(bytes, content)) for path, content in press.assets.items())
    return chain(
        shared,
        review_files(press, pairs),
        list_files(press, pairs),
        critic_files(press),
        text_files(press),
        feed_files(press, pairs),
        search_files(press),
    )


async def _made(file: File) -> bytes:
    made = file.make()
    return await made if inspect.isawaitable(made) else made
