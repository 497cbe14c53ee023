"""What lies between here and a hosted model: certificates and proxies."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from panel.core.review import EMBEDDED
from panel.diagnostics import Observation, note, ok, problem_if

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.diagnostics.case import Case

OVERRIDES = {"SSL_CERT_FILE": os.path.isfile, "SSL_CERT_DIR": os.path.isdir}
"""Variables that name other certificates than the system's, the stronger first, as httpx2 reads them."""


def certificates(case: Case) -> Iterator[Observation]:
    """Tell whose word is taken for who a provider is."""
    import httpx2

    needed = case.asked - {EMBEDDED, "replay"}
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


def proxies(_case: Case) -> Iterator[Observation]:
    """Name the proxies in force, without the credentials that their addresses may hold."""
    found = getproxies()
    for scheme in ("http", "https", "all"):
        if scheme in found:
            yield note(f"calls by {scheme} go through the proxy {_host(found[scheme])}")
    if "no" in found:
        yield note(f"calls that pass by the proxies: {found['no']}")


def _host(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"//{url}").netloc.rpartition("@")[2]
    except ValueError:
        return "at an address that cannot be read"
