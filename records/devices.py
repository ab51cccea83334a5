"""Stations and how one gets its identity: the administrator hands out a code, the station sends its key.

Whoever knows the private half of ``public_key`` is that station; there is no other login.
"""

import hashlib
import secrets
from typing import Any

import sqlalchemy as sa

from records.attempts import Attempts, by_address
from records.database import Database
from records.model import SiteId, Station, StationId, Text
from records.tables import enrolment_codes, stations

CODE_ALPHABET = "ACDEFGHJKLMNPQRTUVWXY34679"  # without B8, I1, O0, S5, Z2
CODE_LENGTH = 8  # 26^8 is 2·10^11: with the limit on attempts and a short life, out of reach of guessing
CODE_TTL_S = 15 * 60.0
KEY_LENGTH = 32  # raw Ed25519 (RFC 8032, 5.1.5)


class StationExists(ValueError):
    """The id is taken."""


class UnknownStation(LookupError):
    """There is no station with this id."""


class Devices:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._attempts = Attempts(database)

    async def create_station(self, station: Station, now: float) -> None:
        """Without a key: only ``enrol`` gives one. Raises StationExists."""
        row = _described(station) | {"id": station.id, "created_at": now}
        async with self._database.write() as connection:
            try:
                await connection.execute(stations.insert().values(row))
            except sa.exc.IntegrityError:
                raise StationExists(f"There is already a station {station.id}") from None

    async def update_station(self, station: Station) -> None:
        """Site, name and whether it is active; never the key. Raises UnknownStation."""
        async with self._database.write() as connection:
            await _change(connection, station.id, **_described(station))

    async def new_enrolment_code(self, station: StationId, now: float, ttl: float = CODE_TTL_S) -> str:
        """A code ``XXXX-XXXX``, good once and until now + ttl; an older one of this station stops being good.
        Only its hash is kept. Raises UnknownStation."""
        code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        async with self._database.write() as connection:
            known = await connection.scalar(sa.select(stations.c.id).where(stations.c.id == station))
            if known is None:
                raise UnknownStation(station)
            await _forget_codes(connection, station)
            row = {"station": station, "code_hash": _hash(code), "expires_at": now + ttl}
            await connection.execute(enrolment_codes.insert().values(row))
        return f"{code[:4]}-{code[4:]}"

    async def enrol(self, code: str, public_key: bytes, address: str, now: float) -> Station | None:
        """Use up the code and give its station this key, in place of one that it had. None when the code is
        wrong, used or too old, or the station is not active. Raises ValueError for a key that is not 32
        bytes long, TooManyAttempts per address."""
        if len(public_key) != KEY_LENGTH:
            raise ValueError(f"An Ed25519 public key has {KEY_LENGTH} bytes, not {len(public_key)}")
        subject = by_address("enrol", address)
        await self._attempts.take([subject], now)
        station = await self._use_up(code, public_key, now)
        if station is not None:
            await self._attempts.succeeded(cleared=subject, refunded=subject)
        return station

    async def revoke(self, station: StationId) -> None:
        """Its key and any open code stop being good; it may be enrolled again. Raises UnknownStation."""
        async with self._database.write() as connection:
            await _change(connection, station, public_key=None, enrolled_at=None)
            await _forget_codes(connection, station)

    async def station(self, station: StationId) -> Station | None:
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(stations).where(stations.c.id == station))
            return next(map(_station, rows.mappings()), None)

    async def stations(self) -> tuple[Station, ...]:
        """In order of their ids, inactive ones too."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(stations).order_by(stations.c.id))
            return tuple(map(_station, rows.mappings()))

    async def _use_up(self, code: str, public_key: bytes, now: float) -> Station | None:
        # One statement takes the code away and tells whose it was: of two at once, one gets it.
        taken = (
            enrolment_codes.delete()
            .where(enrolment_codes.c.code_hash == _hash(code), enrolment_codes.c.expires_at > now)
            .returning(enrolment_codes.c.station)
        )
        async with self._database.write() as connection:
            station = await connection.scalar(taken)
            enrolled = (
                stations.update()
                .where(stations.c.id == station, stations.c.active)
                .values(public_key=public_key, enrolled_at=now)
                .returning(stations)
            )
            return next(map(_station, (await connection.execute(enrolled)).mappings()), None)


def _hash(code: str) -> str:
    """Of the code as people type it: case, spaces and dashes do not matter."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(letters.encode("utf-8", "replace")).hexdigest()


async def _change(connection: Any, station: StationId, **values: Any) -> None:
    changed = await connection.execute(stations.update().where(stations.c.id == station).values(**values))
    if changed.rowcount == 0:
        raise UnknownStation(station)


async def _forget_codes(connection: Any, station: StationId) -> None:
    await connection.execute(enrolment_codes.delete().where(enrolment_codes.c.station == station))


def _described(station: Station) -> dict[str, Any]:
    return {
        "site": station.site,
        "name_zh": station.name.zh,
        "name_en": station.name.en,
        "active": station.active,
    }


def _station(row: sa.RowMapping) -> Station:
    return Station(
        id=StationId(row["id"]),
        site=SiteId(row["site"]),
        name=Text(row["name_zh"], row["name_en"]),
        public_key=row["public_key"],
        active=row["active"],
    )
