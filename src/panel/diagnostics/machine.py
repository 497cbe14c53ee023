"""Checks of the machine: software, settings, folders, personas, prompts, database and network."""

from __future__ import annotations

import os
import platform
import shutil
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from panel.atomic_files import try_writing
from panel.core.review import EMBEDDED
from panel.core.text import byte_size
from panel.core.tool import Tool
from panel.diagnostics.installation import Observation, note, ok, problem
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

SECRET_VARIABLES = {"API_KEY", "API_KEY_FILE", "SMTP_PASSWORD", "SMTP_PASSWORD_FILE"}
REQUIRED = ("openai", "anthropic", "httpx2", "pydantic", "typer")
INSTALL = "pip install --force-reinstall panel-review"
FAST = "a transport that is quicker with 64 calls in flight or more"
EXTRAS = {
    RUNTIME: ("the runtime of the embedded model", INSTALL_RUNTIME),
    "aiohttp": (FAST, "pip install 'panel-review[fast]'"),
}
SAMPLE = Tool(name="Sample", description="Sample shows how a listing is put into a prompt. It is no tool.")
LEAST_ROOM = 64_000_000
"""Bytes: room for some thousand answers and SQLite's write-ahead log."""
OTHER_DATABASE = "choose another database with PANEL_DATABASE_URL"
CERTIFICATES = {"SSL_CERT_FILE": os.path.isfile, "SSL_CERT_DIR": os.path.isdir}
"""Variables that replace the system's certificates, in httpx2's order of precedence."""


def software(_installation: Installation) -> Iterator[Observation]:
    """Report the versions of panel, Python, the system and the libraries, and what missing optional packages add."""
    system = f"{platform.system()} {platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield ok(f"panel {__version__} on {python}, {system}")
    found = {name: _version(name) for name in (*REQUIRED, *EXTRAS)}
    yield ok(", ".join(f"{name} {found[name]}" for name in REQUIRED if found[name]))
    for name in REQUIRED:
        if found[name] is None:
            yield problem(f"{name} is not installed", f"run: {INSTALL}")
    for name, (purpose, command) in EXTRAS.items():
        if found[name] is None:
            yield note(f"{name} is not installed: {purpose}", f"to have it, run: {command}")
        else:
            yield ok(f"{name} {found[name]}: {purpose}")


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def files(installation: Installation) -> Iterator[Observation]:
    """Report the settings files that are read and how many settings each decides."""
    paths = list(settings_files(installation.config, os.environ))
    sources = installation.resolved.sources.values()
    for path in paths:
        in_force = sum(source.startswith(f"{path}, ") for source in sources)
        yield ok(f"{path}: read; settings in force from it: {in_force}")
    if not paths:
        given = sum(source != DEFAULT for source in sources)
        yield ok(f"no settings file; settings from flags and variables: {given}")


def variables(_installation: Installation) -> Iterator[Observation]:
    """Report PANEL_ variables that name no setting."""
    known = {name.upper() for name in Settings.model_fields} | SECRET_VARIABLES
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX)
        if variable != name and name not in known:
            close = get_close_matches(name, sorted(known), n=1)
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
    attempts = f"further attempts when a provider is busy: {settings.retries}"
    yield ok(f"{settings.timeout:g} s for each call; {attempts}")


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
    if reason := _unwritable(existing):
        return problem(f"{folder} cannot be written: {reason}", advice)
    return ok(f"{folder}: {use}")


def _unwritable(folder: Path) -> str | None:
    """Return the reason why a folder is not writable, or None."""
    try:
        try_writing(folder)
    except OSError as error:
        return error.strerror or str(error)
    return None


def personas(installation: Installation) -> Iterator[Observation]:
    """Report the personas found and those on the roster."""
    settings, found = installation.resolved.settings, installation.personas
    seated = seat_roster(found, [entry.partition("=")[0].strip() for entry in settings.roster])
    names = ", ".join(persona.id for persona in seated)
    yield ok(f"{len(found)} in {personas_folder(settings.personas)}; seated: {names}")


def prompts(installation: Installation) -> Iterator[Observation]:
    """Render every prompt once for each persona."""
    folder = templates_folder(installation.resolved.settings.prompts)
    book = prompt_book(installation.resolved, scaffolded=installation.choice.provider == EMBEDDED)
    for persona in installation.personas.values():
        book.take(SAMPLE, persona)
        book.reask(SAMPLE, persona, reply="{}", problems=["reply: a sample"])
    yield ok(f"{len(list(folder.glob(TEMPLATE_FILES)))} templates in {folder}, version {book.digest[:12]}")


def database(installation: Installation) -> Iterator[Observation]:
    """Report whether the database exists, can be used by this version, and can grow. Never creates it."""
    from panel.store import read_store_info

    store = read_store_info(installation.resolved.database)
    state = f"revision {store.revision}, {byte_size(store.bytes)}"
    state = state if store.exists else "empty; the first review makes its tables"
    path = Path(store.where)
    folder = next(one for one in path.absolute().parents if one.exists())
    if store.is_newer:
        found = f"{store.where} was written by a newer version of panel (revision {store.revision})"
        yield problem(found, f"update panel, or {OTHER_DATABASE}")
    elif store.kind != "SQLite":
        yield ok(f"{store.where} can be reached: {state}")
    elif path.exists() and not os.access(path, os.R_OK | os.W_OK):
        yield problem(f"{path} cannot be written: it may not be changed", f"allow it, or {OTHER_DATABASE}")
    elif reason := _unwritable(folder):
        # The check of the data folder has reported it already, unless the database is elsewhere.
        if installation.resolved.settings.database_url is not None:
            yield problem(f"{path} cannot be written: {folder}: {reason}", f"allow it, or {OTHER_DATABASE}")
    else:
        yield ok(f"{path} can be written: {state}")
        if (room := shutil.disk_usage(folder).free) < LEAST_ROOM:
            yield note(f"its disk has room for {byte_size(room)} only", f"make room, or {OTHER_DATABASE}")


def certificates(installation: Installation) -> Iterator[Observation]:
    """Report the certificate authorities that connections are checked against."""
    import httpx2

    needed = installation.asked - offline_providers()
    name = next((name for name in CERTIFICATES if os.environ.get(name)), None)
    path = os.environ[name] if name else ""
    source = (
        f"certificates are taken from {path}, set by {name}" if name else "the system's certificates are used"
    )
    try:
        usable = CERTIFICATES[name](path) if name else True
        authorities = httpx2.create_ssl_context().cert_store_stats()["x509_ca"] if usable else 0
    except OSError:
        usable, authorities = False, 0
    if not usable:
        found = f"{name}: {path} cannot be read as certificates"
        yield problem(found, f"correct or unset {name}", needed=needed)
    elif not authorities and name != "SSL_CERT_DIR":
        advice = "install the system's package ca-certificates, or set SSL_CERT_FILE"
        yield problem(f"{source}, and there are none", advice, needed=needed)
    else:
        yield note(source) if name else ok(source)


def proxies(_installation: Installation) -> Iterator[Observation]:
    """Report the proxies in force, without credentials."""
    found = getproxies()
    for scheme in ("http", "https", "all"):
        if url := found.get(scheme):
            try:
                host = urlsplit(url if "://" in url else f"//{url}").netloc.rpartition("@")[2]
            except ValueError:
                host = "at an address that cannot be read"
            yield note(f"calls by {scheme} go through the proxy {host}")
    if "no" in found:
        yield note(f"calls that bypass the proxies: {found['no']}")
