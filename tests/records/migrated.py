"""A database at its newest revision. A file is migrated once in a run, the others begin as its copy: what
migrations do is shown in test_database.py."""

from pathlib import Path

from records.database import Database

_made: list[bytes] = []


async def migrated(path: Path) -> Database:
    """SQLite at this path, which is not there yet."""
    if _made:
        _copy(path)
        return Database.open(f"sqlite:///{path}")
    database = Database.open(f"sqlite:///{path}")
    await database.migrate()
    await database.close()  # the write-ahead log is in the file now
    _keep(path)
    return database


def _copy(path: Path) -> None:
    path.touch(0o600)
    path.write_bytes(_made[0])


def _keep(path: Path) -> None:
    _made.append(path.read_bytes())
