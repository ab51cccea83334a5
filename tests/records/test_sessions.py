import pytest
import sqlalchemy as sa

from records.database import Database
from records.model import AccountId, AccountRole
from records.sessions import LIFETIMES, SEEN_EVERY_S, Audience, Sessions
from records.store import Store
from tests.records.samples import PASSWORD, account, manager

HERE = "10.0.0.7"
LIHUA = AccountId("lihua")
IDLE = LIFETIMES[Audience.AGENT].idle
ABSOLUTE = LIFETIMES[Audience.AGENT].absolute


@pytest.fixture
async def sessions(store: Store) -> Sessions:
    await store.accounts.create_account(account(), PASSWORD, 1.0)
    await store.accounts.create_account(manager(), PASSWORD, 1.0)
    return store.sessions


async def test_a_token_is_its_account_for_its_audience_alone(sessions: Sessions) -> None:
    token = await sessions.open_session(LIHUA, Audience.AGENT, HERE, 100.0)
    assert len(token) == 43
    assert await sessions.session(token, Audience.AGENT, 101.0) == account()
    assert await sessions.session(token, Audience.MANAGER, 101.0) is None
    assert await sessions.session(token[:-1], Audience.AGENT, 101.0) is None
    assert await sessions.session("", Audience.AGENT, 101.0) is None
    assert await sessions.session("\ud800\x00", Audience.AGENT, 101.0) is None


async def test_the_token_itself_is_kept_nowhere(sessions: Sessions, database: Database) -> None:
    token = await sessions.open_session(LIHUA, Audience.AGENT, HERE, 100.0)
    async with database.read() as connection:
        rows = (await connection.execute(sa.text("SELECT * FROM sessions"))).all()
    assert len(rows) == 1
    assert token not in str(rows)


async def test_it_ends_when_idle_for_too_long(sessions: Sessions) -> None:
    token = await sessions.open_session(LIHUA, Audience.AGENT, HERE, 100.0)
    assert await sessions.session(token, Audience.AGENT, 100.0 + IDLE) is None


async def test_use_keeps_it_alive_but_not_beyond_its_absolute_end(sessions: Sessions) -> None:
    token = await sessions.open_session(LIHUA, Audience.AGENT, HERE, 100.0)
    now = 100.0
    while now + IDLE - 1 < 100.0 + ABSOLUTE:
        now += IDLE - 1
        assert await sessions.session(token, Audience.AGENT, now)
    assert await sessions.session(token, Audience.AGENT, 100.0 + ABSOLUTE - 1)
    assert await sessions.session(token, Audience.AGENT, 100.0 + ABSOLUTE) is None


async def test_its_last_use_is_written_at_most_once_a_minute(sessions: Sessions, database: Database) -> None:
    token = await sessions.open_session(LIHUA, Audience.AGENT, HERE, 100.0)
    seen = []
    for now in (101.0, 100.0 + SEEN_EVERY_S, 110.0 + SEEN_EVERY_S):
        await sessions.session(token, Audience.AGENT, now)
        async with database.read() as connection:
            seen.append(await connection.scalar(sa.text("SELECT seen_at FROM sessions")))
    assert seen == [100.0, 160.0, 160.0]


async def test_closing_ends_one_session_or_all_of_an_account(sessions: Sessions) -> None:
    one, two, three = [await sessions.open_session(LIHUA, Audience.AGENT, HERE, 100.0) for _ in range(3)]
    other = await sessions.open_session(manager().id, Audience.MANAGER, HERE, 100.0)
    await sessions.close_session(one)
    assert await sessions.session(one, Audience.AGENT, 101.0) is None
    assert await sessions.session(two, Audience.AGENT, 101.0)
    await sessions.close_sessions_of(LIHUA)
    assert await sessions.session(two, Audience.AGENT, 101.0) is None
    assert await sessions.session(three, Audience.AGENT, 101.0) is None
    assert await sessions.session(other, Audience.MANAGER, 101.0)


async def test_a_new_password_and_being_disabled_end_all_sessions(sessions: Sessions, store: Store) -> None:
    token = await sessions.open_session(LIHUA, Audience.AGENT, HERE, 100.0)
    await store.accounts.set_password(LIHUA, "battery staple")
    assert await sessions.session(token, Audience.AGENT, 101.0) is None
    token = await sessions.open_session(LIHUA, Audience.AGENT, HERE, 102.0)
    await store.accounts.disable(LIHUA)
    await store.accounts.update_account(account())
    assert await sessions.session(token, Audience.AGENT, 103.0) is None


async def test_an_account_that_changed_its_role_is_nobody_to_its_old_pages(
    sessions: Sessions, store: Store
) -> None:
    token = await sessions.open_session(LIHUA, Audience.AGENT, HERE, 100.0)
    await store.accounts.update_account(account(role=AccountRole.MANAGER))
    assert await sessions.session(token, Audience.AGENT, 101.0) is None


async def test_a_session_for_pages_that_the_role_may_not_see_is_good_for_nothing(sessions: Sessions) -> None:
    token = await sessions.open_session(LIHUA, Audience.MANAGER, HERE, 100.0)
    assert await sessions.session(token, Audience.MANAGER, 101.0) is None
