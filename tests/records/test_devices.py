import asyncio
import re

import msgspec
import pytest
import sqlalchemy as sa

from records.attempts import TooManyAttempts
from records.database import Database
from records.devices import CODE_TTL_S, Devices, StationExists, UnknownStation
from records.model import SiteId, StationId, Text
from records.store import Store
from tests.records.samples import station

S1 = StationId("s1")
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
HERE = "10.0.0.7"


@pytest.fixture
async def devices(store: Store) -> Devices:
    await store.devices.create_station(station("s1"), 1.0)
    await store.devices.create_station(station("s2"), 1.0)
    return store.devices


async def test_a_station_has_no_key_until_it_is_enrolled(devices: Devices) -> None:
    assert await devices.station(S1) == station("s1")
    code = await devices.new_enrolment_code(S1, 100.0)
    enrolled = await devices.enrol(code, KEY, HERE, 101.0)
    assert enrolled == station("s1", public_key=KEY) == await devices.station(S1)
    assert await devices.stations() == (station("s1", public_key=KEY), station("s2"))


async def test_a_code_is_readable_and_typed_in_any_way(devices: Devices) -> None:
    code = await devices.new_enrolment_code(S1, 100.0)
    assert re.fullmatch(r"[ACDEFGHJKLMNPQRTUVWXY34679]{4}-[ACDEFGHJKLMNPQRTUVWXY34679]{4}", code)
    assert await devices.enrol(f" {code.lower().replace('-', ' ')} ", KEY, HERE, 101.0)


async def test_a_code_is_good_once_even_for_many_at_once(devices: Devices) -> None:
    code = await devices.new_enrolment_code(S1, 100.0)
    tries = [devices.enrol(code, bytes([n]) * 32, f"10.0.0.{n}", 101.0) for n in range(10)]
    enrolled = [found for found in await asyncio.gather(*tries) if found is not None]
    assert len(enrolled) == 1
    assert await devices.station(S1) == enrolled[0]


async def test_a_code_ends_with_its_time(devices: Devices) -> None:
    code = await devices.new_enrolment_code(S1, 100.0)
    assert await devices.enrol(code, KEY, HERE, 100.0 + CODE_TTL_S) is None


async def test_a_newer_code_ends_the_older_one(devices: Devices) -> None:
    old, new = [await devices.new_enrolment_code(S1, 100.0) for _ in range(2)]
    assert await devices.enrol(old, KEY, HERE, 101.0) is None
    assert await devices.enrol(new, KEY, HERE, 101.0)


async def test_only_the_hash_of_a_code_is_kept(devices: Devices, database: Database) -> None:
    code = await devices.new_enrolment_code(S1, 100.0)
    async with database.read() as connection:
        rows = str((await connection.execute(sa.text("SELECT * FROM enrolment_codes"))).all())
    assert code not in rows
    assert code.replace("-", "") not in rows


async def test_guessing_is_slowed_down_by_address(devices: Devices) -> None:
    code = await devices.new_enrolment_code(S1, 100.0)
    for _ in range(5):
        assert await devices.enrol("AAAA-AAAA", KEY, HERE, 101.0) is None
    with pytest.raises(TooManyAttempts):
        await devices.enrol(code, KEY, HERE, 102.0)
    assert await devices.enrol(code, KEY, "10.0.0.8", 102.0)


async def test_enrolling_again_replaces_the_key(devices: Devices) -> None:
    for key in (KEY, OTHER_KEY):
        await devices.enrol(await devices.new_enrolment_code(S1, 100.0), key, HERE, 101.0)
    assert await devices.station(S1) == station("s1", public_key=OTHER_KEY)


async def test_revoking_takes_the_key_and_the_open_code(devices: Devices) -> None:
    await devices.enrol(await devices.new_enrolment_code(S1, 100.0), KEY, HERE, 101.0)
    code = await devices.new_enrolment_code(S1, 102.0)
    await devices.revoke(S1)
    assert await devices.station(S1) == station("s1")
    assert await devices.enrol(code, KEY, HERE, 103.0) is None


async def test_an_inactive_station_cannot_be_enrolled(devices: Devices) -> None:
    code = await devices.new_enrolment_code(S1, 100.0)
    await devices.update_station(station("s1", active=False))
    assert await devices.enrol(code, KEY, HERE, 101.0) is None
    assert await devices.station(S1) == station("s1", active=False)


async def test_updating_never_touches_the_key(devices: Devices) -> None:
    await devices.enrol(await devices.new_enrolment_code(S1, 100.0), KEY, HERE, 101.0)
    moved = msgspec.structs.replace(station("s1"), site=SiteId("town9"), name=Text("九号", "Nine"))
    await devices.update_station(moved)
    assert await devices.station(S1) == msgspec.structs.replace(moved, public_key=KEY)


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 33])
async def test_a_key_of_another_length_is_refused_and_the_code_stays_good(
    devices: Devices, key: bytes
) -> None:
    code = await devices.new_enrolment_code(S1, 100.0)
    with pytest.raises(ValueError, match="32 bytes"):
        await devices.enrol(code, key, HERE, 101.0)
    assert await devices.enrol(code, KEY, HERE, 101.0)


async def test_what_is_not_there_and_what_is_there_already(devices: Devices) -> None:
    nowhere = StationId("s9")
    assert await devices.station(nowhere) is None
    with pytest.raises(StationExists):
        await devices.create_station(station("s1"), 1.0)
    with pytest.raises(UnknownStation):
        await devices.new_enrolment_code(nowhere, 1.0)
    with pytest.raises(UnknownStation):
        await devices.revoke(nowhere)
    with pytest.raises(UnknownStation):
        await devices.update_station(station("s9"))
