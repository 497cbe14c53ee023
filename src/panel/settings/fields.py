"""All settings, with their types, bounds and meaning."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from panel.core.actor import PersonName
from panel.core.addresses import mail_address
from panel.core.completion import Effort, Verbosity
from panel.core.frozen import Frozen
from panel.core.text import one_line
from panel.errors import SettingsError

REMOVED_SETTINGS = frozenset({"hedge", "logprobs"})
"""Settings of version 0.1.0 that no longer exist; stored runs may hold them."""

DEFAULT_ROSTER = ("builder", "skeptic", "futurist", "founder", "creator")

_CREDENTIALS = re.compile(r"//[^/?#]*@")
_QUERY = re.compile(r"(?<=\S)\?\S+")
_SWITCHES = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(
    ("false", "no", "off", "0"), False
)


def masked(value: object) -> object:
    """Return a value without the credentials and query that an address may hold."""
    return _QUERY.sub("?…", _CREDENTIALS.sub("//…@", value)) if isinstance(value, str) else value


def server_address(name: str, url: str) -> str:
    """Return a valid server address, or raise SettingsError with the name of its setting or variable."""
    try:
        return _address(url)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}, got {masked(url)!r}") from error


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a number, got a boolean")  # noqa: TRY004 - pydantic reports ValueErrors
    return value


def _switch(value: object) -> bool:
    word = str(value).strip().lower() if isinstance(value, str | bool) else ""
    if word not in _SWITCHES:
        raise ValueError("expected true or false")
    return _SWITCHES[word]


def _listed(value: Any) -> Any:  # noqa: ANN401 - a value of any type
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list):
        return parts
    return [part.strip() if isinstance(part, str) else part for part in parts]


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(values):
        raise ValueError("a name is blank")
    if len(set(values)) < len(values):
        raise ValueError("names the same one twice")
    return values


def _is_address(url: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return usable and url.isprintable() and " " not in url


def _address(url: str) -> str:
    if not _is_address(url, {"http", "https"}) or "@" in url:
        raise ValueError(
            "expected an http or https address without credentials, such as http://127.0.0.1:8080/v1"
        )
    return url.rstrip("/")


def _site(url: str) -> str:
    try:
        address = _address(url)
    except ValueError:
        address = ""
    if not address or urlsplit(url).query or urlsplit(url).fragment:
        raise ValueError("expected the address of a site, such as https://reviews.example.org")
    return address


def _mail_server(url: str) -> str:
    usable = _is_address(url, {"smtp", "smtps"})
    parts = urlsplit(url if usable else "")
    try:
        (parts.hostname or "").encode("idna")
    except UnicodeError:  # a name that no server has
        usable = False
    if not usable or parts.password or parts.path.strip("/"):
        raise ValueError(
            "expected smtp://USER@HOST:PORT or smtps://USER@HOST:PORT; the password stands in PANEL_SMTP_PASSWORD"
        )
    return url.rstrip("/")


def _newsletter(value: str) -> str:
    if value in {"off", "panel"}:
        return value
    try:
        return _address(value)
    except ValueError:
        raise ValueError(
            "expected off, panel, or the http or https address that an outside service takes sign-ups at"
        ) from None


def _folder(value: object) -> object:
    if not isinstance(value, str | Path):
        return value
    if not (str(value).strip() and str(value).isprintable()):
        raise ValueError("expected the name of a folder")
    return os.path.expanduser(value)  # noqa: PTH111 - it never raises


def _database(value: str) -> str:
    if not (value.strip() and value.isprintable()):
        raise ValueError("expected the name of a file, or postgresql://USER@HOST/NAME")
    return value if "://" in value else os.path.expanduser(value)  # noqa: PTH111 - it never raises


def _title(value: str) -> str:
    title = one_line(value)
    if not title:
        raise ValueError("expected a name that can be read")
    return title


Whole = Annotated[int, BeforeValidator(_number)]
Decimal = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Folder = Annotated[Path, BeforeValidator(_folder)]
Listed = BeforeValidator(_listed)
Distinct = AfterValidator(_distinct)


class Settings(Frozen):
    """All settings; `panel config` prints the docstring of each field."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    model: str | None = None
    """model to ask, as PROVIDER:NAME"""
    base_url: Annotated[str, AfterValidator(_address)] | None = None
    """address of the provider's API"""
    roster: Annotated[tuple[str, ...], Listed, Distinct] = Field(DEFAULT_ROSTER, min_length=1, max_length=20)
    """personas to seat, in order; NAME=PROVIDER:MODEL seats one on another model"""
    concurrency: Whole = Field(10, ge=1, le=256)
    """maximum concurrent calls, for each model"""
    requests_per_minute: Annotated[Whole, Field(ge=1)] | None = None
    """maximum calls a minute, for each model; unset: the provider's limit"""
    tokens_per_minute: Annotated[Whole, Field(ge=1_000)] | None = None
    """maximum tokens a minute, for each model; unset: the provider's limit"""
    timeout: Decimal = Field(120.0, ge=1, le=3600)
    """maximum seconds for one call"""
    retries: Whole = Field(3, ge=0, le=3)
    """retries of a call when the provider is busy"""
    cache: Literal["auto", "warm", "off"] = "auto"
    """ask one seat first so that the others read the listing from the provider's cache: auto, warm or off"""
    effort: Effort = Effort.LOW
    """how long a reasoning model may think: low, medium or high"""
    verbosity: Verbosity = Verbosity.LOW
    """length of an OpenAI model's answer: low, medium or high"""
    max_output_tokens: Whole = Field(4_000, ge=256, le=64_000)
    """maximum tokens of one answer, reasoning included"""
    seed: Whole = Field(0, ge=0, lt=2**31)
    """seed, for models that accept one"""
    out: Folder = Path("outputs")
    """folder for report files"""
    format: Annotated[tuple[Literal["html", "md", "json"], ...], Listed, Distinct] = Field(
        ("html", "md", "json"), min_length=1
    )
    """report files to write, of html, md and json"""
    record: Folder | None = None
    """folder for a recording of every answer, from which repeated calls are answered"""
    budget: Annotated[Decimal, Field(gt=0)] | None = None
    """US dollars that a batch may cost at most; unset: no limit"""
    database_url: Annotated[str, AfterValidator(_database)] | None = None
    """database of answers and drafts: a file, or postgresql://USER@HOST/NAME; unset: panel.db in the user's data"""
    editor: PersonName | None = None
    """name of the editor who approves drafts, as pages print it"""
    site_url: Annotated[str, AfterValidator(_site)] | None = None
    """address of the published site, such as https://reviews.example.org"""
    site_name: Annotated[str, AfterValidator(_title), Field(min_length=1, max_length=80)] = "Panel reviews"
    """title of the published site"""
    voting: Switch = False
    """whether pages of the site offer votes to readers; panel serve --public counts them"""
    votes_shown_from: Whole = Field(5, ge=1, le=10_000)
    """number of votes below which pages print no percentage"""
    newsletter: Annotated[str, AfterValidator(_newsletter)] = "off"
    """where newsletter sign-ups go: off, panel (panel serve --public), or the address of an external service"""
    smtp_url: Annotated[str, AfterValidator(_mail_server)] | None = None
    """mail server, as smtp://USER@HOST:PORT (STARTTLS where offered) or smtps://"""
    mail_from: Annotated[str, AfterValidator(mail_address)] | None = None
    """address that the newsletter is sent from"""
    personas: Folder | None = None
    """folder of persona files"""
    prompts: Folder | None = None
    """folder of prompt templates"""
    data_dir: Folder | None = None
    """folder for the user's data: database, secret, snapshots of pages"""
