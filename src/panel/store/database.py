"""A database as the store uses it: transactions that read, transactions that write, and what its kind can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

T = TypeVar("T")


class Database(ABC):
    """One kind of database.

    Args:
        engine: SQLAlchemy's.
        where: what error lines call it: the file, or the address without its password.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine = engine
        self.where = where

    @abstractmethod
    def prepare(self) -> None:
        """Make sure that the database can be used, and bring it to the last revision.

        Raises:
            StorageError: it cannot be used; the line says what to do.
            DBAPIError: likewise, in the driver's words.
        """

    @abstractmethod
    def write(self, work: Callable[[Connection], T]) -> T:
        """Do work in one transaction, and return what it returns once that is committed.

        Raises:
            DBAPIError: nothing of it was committed.
        """

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do work that changes nothing, on one consistent state.

        Raises:
            DBAPIError: it cannot be read.
        """
        with self.engine.connect() as connection:
            return work(connection)

    def claim(self, connection: Connection, key: str) -> bool:  # noqa: ARG002 - its signature
        """Return whether no other transaction that claims a key can commit before this one ends; True where they take turns anyway."""
        return True

    @abstractmethod
    def make_room(self) -> None:
        """Give up what was set aside for a full disk."""

    @abstractmethod
    def flaws(self, connection: Connection) -> list[str]:
        """Return what the database itself finds wrong with its files."""

    @abstractmethod
    def backup(self, path: Path) -> None:
        """Write a consistent copy.

        Raises:
            StorageError: it cannot be written.
        """

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()
