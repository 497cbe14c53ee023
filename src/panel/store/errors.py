"""What a database's error means for whoever runs panel, in one line."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, OperationalError

from panel.errors import StorageError

# https://www.sqlite.org/rescode.html; the longer names of a family begin with the shorter one.
_SQLITE = {
    "SQLITE_NOTADB": "is not a database; choose another path",
    "SQLITE_CORRUPT": "is damaged; restore a backup, or choose another path",
    "SQLITE_READONLY": "cannot be written; allow it, or choose another path",
    "SQLITE_CANTOPEN": "cannot be opened; look at its permissions and its folder's, or choose another path",
    "SQLITE_PERM": "cannot be opened; look at its permissions, or choose another path",
    "SQLITE_FULL": "has no room left on its disk; make room, then run the same again",
    "SQLITE_IOERR": "cannot be read or written; check its disk and its room there, then run the same again",
    "SQLITE_BUSY": "is locked by another program; end that, then run the same again",
}
_POSTGRESQL = {
    "28": "refused the user or the password; correct the address",
    "3D": "is not there; create it, or correct the address",
    "42501": "does not allow it to this user; grant it the rights to create and to write tables",
    "53100": "has no room left on its disk; make room, then run the same again",
    "25006": "cannot be written; choose another database",
}


def storage_error(error: Exception, where: str) -> StorageError:
    """Return the line about a driver's error, wrapped by SQLAlchemy or not.

    Args:
        error: what was raised.
        where: the file, or the address without its password.
    """
    cause: object = getattr(error, "orig", None) or error
    code = _code(cause)
    for family, advice in {**_SQLITE, **_POSTGRESQL}.items():
        if code.startswith(family):
            return StorageError(f"{where} {advice}")
    words = " ".join(str(cause).split())
    return StorageError(
        f"{where} cannot be used ({words}); check that it can be reached, then run the same again"
    )


def damaged(where: str, what: str) -> StorageError:
    """Return the line about a row that does not say what panel wrote."""
    return StorageError(f"{where} holds {what} that cannot be read; restore a backup")


def lost_connection(error: DBAPIError) -> bool:
    """Whether PostgreSQL went away or asked for the transaction to be repeated, so that it may succeed later.

    The classes are of https://www.postgresql.org/docs/15/errcodes-appendix.html: 08 connection, 40 rollback, 57P shutdown.
    """
    code = _code(error.orig)
    unreachable = isinstance(error, OperationalError) and not code
    return error.connection_invalidated or unreachable or code.startswith(("08", "40", "57P"))


def _code(cause: object) -> str:
    return getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
