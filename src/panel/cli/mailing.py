"""The newsletter's means: its mail server, and what its links are signed with."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING

from panel.errors import SettingsError
from panel.newsletter.smtp import Post
from panel.settings.secret import read_secret

if TYPE_CHECKING:
    from panel.settings.resolve import Resolved

PASSWORD = "PANEL_SMTP_PASSWORD"  # noqa: S105 - a variable's name
_PURPOSE = b"links of the newsletter"


def mail_secret(resolved: Resolved) -> bytes:
    """Return what the newsletter's links are signed with, 32 bytes.

    Raises:
        StorageError: the user's secret cannot be read.
    """
    return hmac.new(read_secret(resolved.data_dir), _PURPOSE, hashlib.sha256).digest()


def post_of(resolved: Resolved) -> Post:
    """Return where mail is handed over.

    Raises:
        SettingsError: a setting that it needs is missing.
    """
    settings = resolved.settings
    if settings.smtp_url is None:
        raise SettingsError(
            "smtp_url: not set; name the mail server, such as smtp://USER@mail.example.org:587"
        )
    if settings.mail_from is None:
        raise SettingsError("mail_from: not set; say from which address mail is, such as digest@example.org")
    return Post(
        url=settings.smtp_url, password=_password(), name=settings.site_name, sender=settings.mail_from
    )


def site_url(resolved: Resolved) -> str:
    """Return the address of the site, without a slash at its end.

    Raises:
        SettingsError: it is not set.
    """
    if resolved.settings.site_url is None:
        raise SettingsError("site_url: not set; the links of the newsletter lead there")
    return resolved.settings.site_url


def _password() -> str:
    path = os.environ.get(f"{PASSWORD}_FILE", "")
    if os.environ.get(PASSWORD) or not path:
        return os.environ.get(PASSWORD, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{PASSWORD}_FILE: {path} cannot be read; name a text file") from error
