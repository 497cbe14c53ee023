"""Providers: adapters to models, prices, and middleware around every call; here is their registry.

The modules of this package are searched for a `SPEC` at the first look-up, so they import nothing heavy; an SDK is imported when its
provider is opened.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from panel.errors import PanelError, SettingsError
from panel.providers.base import PriceSource, ProviderSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from panel.providers.base import Connection, Provider


@cache
def providers() -> Mapping[str, ProviderSpec]:
    """Return all providers by name, those used by default first."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    found = [getattr(module, "SPEC", None) for module in modules]
    specs = [spec for spec in found if isinstance(spec, ProviderSpec)]
    specs.sort(key=lambda spec: (spec.preference is None, spec.preference or 0, spec.name))
    return {spec.name: spec for spec in specs}


def hosted_providers() -> tuple[str, ...]:
    """Return the names of the vendors that answer for a key, in the order in which they are used by default."""
    return tuple(spec.name for spec in providers().values() if spec.key_required)


def offline_providers() -> frozenset[str]:
    """Return the names of the providers that answer on this machine, without a network and for nothing."""
    return frozenset(spec.name for spec in providers().values() if spec.prices is PriceSource.FREE)


def key_variables() -> dict[str, str]:
    """Return the environment variable of each provider's API key."""
    return {spec.name: spec.key_variable for spec in providers().values() if spec.key_variable}


def url_variables() -> dict[str, str]:
    """Return the environment variable of each vendor's base URL."""
    return {spec.name: spec.url_variable for spec in providers().values() if spec.url_variable}


def check_connection(connection: Connection) -> ProviderSpec:
    """Return the spec of a connection's provider; raise SettingsError if a key, an address or a folder is missing."""
    spec = providers().get(connection.provider)
    if spec is None:
        known = ", ".join(providers())
        raise SettingsError(f"model: unknown provider {connection.provider!r}; known are {known}")
    if spec.key_required and not connection.api_key:
        raise SettingsError(f"{spec.key_variable} is not set; export it, or use --model local")
    spec.check(connection)
    return spec


def open_provider(connection: Connection) -> Provider:
    """Return the adapter of a provider; raise SettingsError if it cannot be set up."""
    spec = check_connection(connection)
    try:
        return spec.open(connection)
    except PanelError:
        raise
    except Exception as error:
        # An SDK reads proxies, certificates and more from the environment, and fails in ways of its own.
        raise SettingsError(f"{connection.provider} could not be set up: {error}") from error
