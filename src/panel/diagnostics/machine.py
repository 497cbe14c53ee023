"""Checks of the machine: software, settings, folders, personas, prompts, database and network."""

from __future__ import annotations

import difflib
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from panel.atomic_files import try_writing
from panel.core.review import EMBEDDED
from panel.core.text import byte_size
from panel.core.tool import Tool
from panel.diagnostics.observation import Observation, note, ok, problem, problem_if
from panel.orchestrator.setup import prompt_book
from panel.prompts.files import TEMPLATE_FILES, personas_folder, seat_roster, templates_folder
from panel.providers import offline_providers
from panel.providers.local.weights import INSTALL_RUNTIME, RUNTIME
from panel.settings.fields import Settings
from panel.settings.resolve import DEFAULT, PREFIX, settings_files
from panel.settings.secret import read_secret
from panel.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.diagnostics.installation import Installation
    from panel.store import StoreInfo


SECRET_VARIABLES = {"API_KEY", "API_KEY_FILE", "SMTP_PASSWORD", "SMTP_PASSWORD_FILE"}
REQUIRED = ("openai", "anthropic", "httpx2", "pydantic", "typer")
INSTALL = "pip install --force-reinstall panel-review"
EXTRAS = {
    RUNTIME: ("the runtime of the embedded model", INSTALL_RUNTIME),
    "aiohttp": (
        "a transport that is quicker with 64 calls in flight or more",
        "pip install 'panel-review[fast]'",
    ),
}


def this_program(_installation: Installation) -> Iterator[Observation]:
    """Report the versions of panel, Python and the operating system."""
    system = f"{platform.system()} {platform.machine()}"
    yield ok(
        f"panel {__version__} on {platform.python_implementation()} {platform.python_version()}, {system}"
    )


def libraries(_installation: Installation) -> Iterator[Observation]:
    """Report the versions of the required libraries."""
    found = {name: version_of(name) for name in REQUIRED}
    yield ok(", ".join(f"{name} {there}" for name, there in found.items() if there))
    for name, there in found.items():
        if there is None:
            yield problem(f"{name} is not installed", f"run: {INSTALL}")


def extras(_installation: Installation) -> Iterator[Observation]:
    """Report which optional packages are installed, and what the missing ones add."""
    for name, (purpose, command) in EXTRAS.items():
        there = version_of(name)
        if there is None:
            yield note(f"{name} is not installed: {purpose}", f"to have it, run: {command}")
        else:
            yield ok(f"{name} {there}: {purpose}")


def version_of(distribution: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def files(installation: Installation) -> Iterator[Observation]:
    """Report the settings files that are read and how many settings each decides."""
    there = list(settings_files(installation.config, os.environ))
    sources = installation.resolved.sources.values()
    for path in there:
        in_force = sum(source.startswith(f"{path}, ") for source in sources)
        yield ok(f"{path}: read; settings in force from it: {in_force}")
    if not there:
        given = sum(source != DEFAULT for source in sources)
        yield ok(f"no settings file; settings from flags and variables: {given}")


def variables(_installation: Installation) -> Iterator[Observation]:
    """Report PANEL_ variables that name no setting."""
    known = {name.upper() for name in Settings.model_fields} | SECRET_VARIABLES
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX)
        if variable == name or name in known:
            continue
        close = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f"did you mean {PREFIX}{close[0]}?" if close else "`panel config` lists all settings"
        yield note(f"{variable} is set but names no setting", hint)


def limits(installation: Installation) -> Iterator[Observation]:
    """Report the limits on concurrency, rate and time of calls."""
    settings = installation.resolved.settings
    requests, tokens = (
        "as many as the provider allows" if figure is None else f"{figure:,}"
        for figure in (settings.requests_per_minute, settings.tokens_per_minute)
    )
    yield ok(f"{settings.concurrency} calls in flight; a minute: calls {requests}, tokens {tokens}")
    yield ok(
        f"{settings.timeout:g} s for each call; further attempts when a provider is busy: {settings.retries}"
    )


SAMPLE = Tool(name="Sample", description="Sample shows how a listing is put into a prompt. It is no tool.")


def personas(installation: Installation) -> Iterator[Observation]:
    """Report the personas found and those on the roster."""
    settings = installation.resolved.settings
    folder = personas_folder(settings.personas)
    seated = seat_roster(
        installation.personas, [entry.partition("=")[0].strip() for entry in settings.roster]
    )
    yield ok(
        f"{len(installation.personas)} in {folder}; seated: {', '.join(persona.id for persona in seated)}"
    )


def prompts(installation: Installation) -> Iterator[Observation]:
    """Render every prompt once for each persona."""
    settings = installation.resolved.settings
    folder = templates_folder(settings.prompts)
    book = prompt_book(installation.resolved, scaffolded=installation.choice.provider == EMBEDDED)
    for persona in installation.personas.values():
        book.take(SAMPLE, persona)
        book.reask(SAMPLE, persona, reply="{}", problems=["reply: a sample"])
    yield ok(f"{len(list(folder.glob(TEMPLATE_FILES)))} templates in {folder}, version {book.digest[:12]}")


def data(installation: Installation) -> Iterator[Observation]:
    """Read the user's secret, creating it on first use, and test that the data folder is writable."""
    folder = installation.resolved.data_dir
    read_secret(folder)
    yield _written(folder, "holds your secret, and can be written", "set PANEL_DATA_DIR to another folder")


def reports(installation: Installation) -> Iterator[Observation]:
    """Test that the folders for reports and recordings are writable."""
    settings = installation.resolved.settings
    yield _written(settings.out, "reports can be written", "choose another folder with --out or PANEL_OUT")
    if settings.record is not None:
        advice = "choose another folder with --record or PANEL_RECORD"
        yield _written(settings.record, "a recording can be written", advice)


def _written(folder: Path, use: str, advice: str) -> Observation:
    """Test a folder, or its nearest existing parent, with a temporary file."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if (reason := _unwritable(existing)) is not None:
        return problem(f"{folder} cannot be written: {reason}", advice)
    return ok(f"{folder}: {use}")


LEAST_ROOM = 64_000_000
"""Bytes: room for some thousand answers and SQLite's write-ahead log."""

ADVICE = "choose another database with PANEL_DATABASE_URL"


def database(installation: Installation) -> Iterator[Observation]:
    """Report whether the database exists, can be used by this version, and can grow. Never creates it."""
    from panel.store import read_store_info

    seen = read_store_info(installation.resolved.database)
    if seen.is_newer:
        found = f"{seen.where} was written by a newer version of panel (revision {seen.revision})"
        yield problem(found, f"update panel, or {ADVICE}")
    elif seen.kind == "SQLite":
        yield from _file(seen, Path(seen.where), tried=installation.resolved.settings.database_url is None)
    else:
        yield ok(f"{seen.where} can be reached: {_state(seen)}")


def _file(seen: StoreInfo, path: Path, *, tried: bool) -> Iterator[Observation]:
    """Report on an SQLite file; `tried` means that the check of the data folder has already reported on its folder."""
    folder = next(one for one in path.parents if one.exists())
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        yield problem(f"{path} cannot be written: it may not be changed", f"allow it, or {ADVICE}")
        return
    if (reason := _unwritable(folder)) is not None:
        if not tried:
            yield problem(f"{path} cannot be written: {folder}: {reason}", f"allow it, or {ADVICE}")
        return
    yield ok(f"{path} can be written: {_state(seen)}")
    room = shutil.disk_usage(folder).free
    if room < LEAST_ROOM:
        yield note(f"its disk has room for {byte_size(room)} only", f"make room, or {ADVICE}")


def _unwritable(folder: Path) -> str | None:
    """Return the reason why a folder is not writable, or None."""
    try:
        try_writing(folder)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _state(seen: StoreInfo) -> str:
    if not seen.exists:
        return "empty; the first review makes its tables"
    return f"revision {seen.revision}, {byte_size(seen.bytes)}"


OVERRIDES = {"SSL_CERT_FILE": os.path.isfile, "SSL_CERT_DIR": os.path.isdir}
"""Variables that replace the system's certificates, in httpx2's order of precedence."""


def certificates(installation: Installation) -> Iterator[Observation]:
    """Report the certificate authorities that connections are checked against."""
    import httpx2

    needed = installation.asked - offline_providers()
    name = next((name for name in OVERRIDES if os.environ.get(name)), None)
    path = os.environ[name] if name else ""
    said = (
        f"certificates are taken from {path}, set by {name}" if name else "the system's certificates are used"
    )
    try:
        usable = OVERRIDES[name](path) if name else True
        authorities = httpx2.create_ssl_context().cert_store_stats()["x509_ca"] if usable else 0
    except OSError:
        usable, authorities = False, 0
    if not usable:
        yield problem_if(needed, f"{name}: {path} cannot be read as certificates", f"correct or unset {name}")
    elif not authorities and name != "SSL_CERT_DIR":
        advice = "install the system's package ca-certificates, or set SSL_CERT_FILE"
        yield problem_if(needed, f"{said}, and there are none", advice)
    else:
        yield note(said) if name else ok(said)


def proxies(_installation: Installation) -> Iterator[Observation]:
    """Report the proxies in force, without credentials."""
    found = getproxies()
    for scheme in ("http", "https", "all"):
        if scheme in found:
            yield note(f"calls by {scheme} go through the proxy {_host(found[scheme])}")
    if "no" in found:
        yield note(f"calls that bypass the proxies: {found['no']}")


def _host(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"//{url}").netloc.rpartition("@")[2]
    except ValueError:
        return "at an address that cannot be read"
