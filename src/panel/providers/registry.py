"""The registry of providers.

An adapter module registers its provider with a `ProviderSpec` named `SPEC`. The modules of this package are searched for it
at the first look-up, so they import nothing heavy; an SDK is imported when its provider is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from panel.errors import PanelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from panel.providers.base import Connection, Provider


class PriceSource(Enum):
    """How the price of a call is found."""

    FREE = auto()
    VENDOR = auto()
    """The provider's own price list, wherever the call goes: a gateway charges the same."""
    BY_ADDRESS = auto()
    """The price list of the vendor that the base URL belongs to, if it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """Everything that the rest of the program knows about a provider.

    Attributes:
        name: written before the colon in `--model`.
        open: makes the adapter, and may raise any exception.
        check: raises SettingsError if something that the provider needs is missing; makes no call.
        prices: how the price of a call is found.
        default_model: used when `--model` names the provider alone.
        models: all models of the provider, if they are known; else empty.
        model_hint: placeholder for the model in messages.
        key_variable: environment variable of the API key.
        key_required: whether no call can be made without the key.
        url_variable: environment variable of another base URL, as the vendor's SDK reads it.
        preference: rank among the providers that are used by default when their key is set; None for never.
    """

    name: str
    open: Callable[[Connection], Provider]
    check: Callable[[Connection], None] = lambda _connection: None
    prices: PriceSource
    default_model: str | None = None
    models: tuple[str, ...] = ()
    model_hint: str = "NAME"
    key_variable: str | None = None
    key_required: bool = False
    url_variable: str | None = None
    preference: int | None = None

    @property
    def hosted(self) -> bool:
        """Whether a vendor answers at an address of its own, for a key."""
        return self.key_required

    @property
    def offline(self) -> bool:
        """Whether the provider answers on this machine, without a network and for nothing."""
        return self.prices is PriceSource.FREE


@cache
def providers() -> Mapping[str, ProviderSpec]:
    """Return all providers by name, those used by default first."""
    import panel.providers as package

    names = [module.name for module in iter_modules(package.__path__, f"{package.__name__}.")]
    found = [getattr(import_module(name), "SPEC", None) for name in names]
    specs = [spec for spec in found if isinstance(spec, ProviderSpec)]
    specs.sort(key=lambda spec: (spec.preference is None, spec.preference or 0, spec.name))
    return {spec.name: spec for spec in specs}


def hosted_providers() -> tuple[str, ...]:
    """Return the names of the vendors' own providers, in the order in which they are used by default."""
    return tuple(spec.name for spec in providers().values() if spec.hosted)


def offline_providers() -> frozenset[str]:
    """Return the names of the providers that answer on this machine."""
    return frozenset(spec.name for spec in providers().values() if spec.offline)


def key_variables() -> dict[str, str]:
    """Return the environment variable of each provider's API key."""
    return {spec.name: spec.key_variable for spec in providers().values() if spec.key_variable}


def url_variables() -> dict[str, str]:
    """Return the environment variable of each vendor's base URL."""
    return {spec.name: spec.url_variable for spec in providers().values() if spec.url_variable}


def spec_of(provider: str) -> ProviderSpec:
    """Return the spec of a provider.

    Raises:
        SettingsError: there is no such provider.
    """
    spec = providers().get(provider)
    if spec is None:
        raise SettingsError(f"model: unknown provider {provider!r}; known are {', '.join(providers())}")
    return spec


def check_connection(connection: Connection) -> None:
    """Check that a provider can be opened.

    Raises:
        SettingsError: a key, an address or a folder is missing.
    """
    spec = spec_of(connection.provider)
    if spec.key_required and not connection.api_key:
        raise SettingsError(f"{spec.key_variable} is not set; export it, or use --model local")
    spec.check(connection)


def open_provider(connection: Connection) -> Provider:
    """Return the adapter of a provider.

    Raises:
        SettingsError: something that it needs is missing, or it cannot be set up in this environment.
    """
    check_connection(connection)
    try:
        return spec_of(connection.provider).open(connection)
    except PanelError:
        raise
    except Exception as error:
        # An SDK reads proxies, certificates and more from the environment, and fails in ways of its own.
        raise SettingsError(f"{connection.provider} could not be set up: {error}") from error
