"""Building a site: from published reviews to a folder that any web server can serve."""

from __future__ import annotations

import hashlib
import inspect
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from panel.core.frozen import Frozen
from panel.errors import SettingsError
from panel.site.build_cache import WrittenFile, open_cache
from panel.site.catalog import read_catalog
from panel.site.output_dir import OutputDir
from panel.site.pages import all_pages
from panel.site.renderer import Renderer, SiteFile, code_digest, shared_assets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from panel.site.catalog import Catalog
    from panel.site.options import BuildPaths, SiteOptions
    from panel.store import Store


class BuildResult(Frozen):
    """Counts of a build: tools with a published or a retracted review, HTML files, all files, and the changes to files."""

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
    paths: BuildPaths,
    *,
    full: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> BuildResult:
    """Build the site of all published reviews, and put it in the place of the old one.

    Equal reviews and options make equal bytes. Files that did not change since the last build are not made again, unless `full`
    asks for it. `progress` is called with the number of files that are ready.

    Raises:
        SettingsError: the folder is no site, or would lose all of its reviews.
        RunStopped: another build of this site is running.
        StorageError: a review was altered, or a file cannot be written; the old site is unchanged.
    """
    code = code_digest()
    common = hashlib.sha256(f"{code} {options.digest}".encode()).digest()
    output = OutputDir(paths.site)
    with open_cache(paths.cache, empty=full) as cache:
        catalog = await read_catalog(store, cache, code)
        if not catalog.tools and output.has_reviews:
            raise SettingsError(
                f"{paths.site}: holds a site with reviews, and nothing is published in this database; is it the right one? "
                "If it is, delete the folder first"
            )
        output.begin()
        kept, written, pages = 0, 0, 0
        for number, file in enumerate(_files(options, catalog), start=1):
            digest = file.digest(common)
            earlier = cache.file(file.path)
            if earlier and earlier.digest == digest and output.keep(file.path, earlier):
                kept += 1
            else:
                content = file.render()
                content = await content if inspect.isawaitable(content) else content
                cache.put_file(file.path, WrittenFile(digest, *output.write(file.path, content)))
                written += 1
            pages += file.path.endswith(".html")
            progress(number)
        removed = cache.drop_files(output.has)
        output.swap()
    reviews = len(catalog.live)
    return BuildResult(
        reviews=reviews,
        retracted=len(catalog.tools) - reviews,
        pages=pages,
        files=written + kept,
        written=written,
        kept=kept,
        removed=removed,
    )


def _files(options: SiteOptions, catalog: Catalog) -> Iterator[SiteFile]:
    pages = all_pages()
    renderer = Renderer(options, catalog, [page.menu for page in pages if page.menu])
    assets = (SiteFile(path, (), partial(bytes, content)) for path, content in shared_assets().items())
    return chain(assets, *(page.files(renderer) for page in pages))
