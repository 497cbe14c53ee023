"""The provider `local`: SmolLM2-135M-Instruct, embedded in this process. It needs no key and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.providers.base import PriceSource, ProviderSpec

if TYPE_CHECKING:
    from panel.providers.base import Connection, Provider

EMBEDDED_MODEL = "smollm2-135m-instruct"


def _open(_connection: Connection) -> Provider:
    from panel.providers.local.provider import LocalProvider

    return LocalProvider()


def _check(_connection: Connection) -> None:
    from panel.providers.local.weights import find_weights

    find_weights()


SPEC = ProviderSpec(
    name="local",
    open=_open,
    check=_check,
    prices=PriceSource.FREE,
    default_model=EMBEDDED_MODEL,
    models=(EMBEDDED_MODEL,),
    not_cached="the embedded model reads what the seats share only once in any case",
)
