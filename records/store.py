"""All of records/ behind one door: what a process opens at its start and closes at its end."""

from pathlib import Path

from argon2 import PasswordHasher

from records.accounts import Accounts
from records.appointments import Appointments
from records.audit import Audit
from records.calls import Calls
from records.database import Database
from records.devices import Devices
from records.grants import Grants
from records.journal import Ledger
from records.manifest import Manifests, load_key
from records.quality import QualityLog
from records.sessions import Sessions
from records.storage import Storage

KEY_FILE = "manifest.key"


class Store:
    """Each part is a plain attribute; they share one database and one storage."""

    def __init__(
        self, database: Database, storage: Storage, data: Path, hasher: PasswordHasher | None = None
    ) -> None:
        self.database = database
        self.storage = storage
        self.ledger = Ledger(database)
        self.quality = QualityLog(database)
        self.calls = Calls(database)
        self.accounts = Accounts(database, hasher)
        self.sessions = Sessions(database)
        self.devices = Devices(database)
        self.appointments = Appointments(database)
        self.audit = Audit(database)
        self.grants = Grants(database, self.audit)
        self.manifests = Manifests(database, storage, load_key(data / KEY_FILE))

    @classmethod
    async def open(cls, database_url: str, recordings: str | Path, data: Path) -> "Store":
        """Open and migrate. ``recordings`` is a folder or ``s3://bucket/prefix``; ``data`` is the folder of
        the signing key. Raises UnsupportedDatabase, NewerDatabase, and what the database itself raises."""
        database = Database.open(database_url)
        try:
            await database.migrate()
            return cls(database, Storage.open(recordings), data)
        except BaseException:
            await database.close()
            raise

    async def close(self) -> None:
        await self.database.close()
