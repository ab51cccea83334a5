from collections.abc import Callable
from typing import Literal

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from records.accounts import AccountExists, Accounts, PasswordRefused, UnknownAccount
from records.attempts import TooManyAttempts
from records.database import Database
from records.model import Account, AccountId, AccountRole, SkillId, Text
from tests.records.samples import PASSWORD, account, manager

AGENTS = {AccountRole.AGENT, AccountRole.EXPERT}
HERE = "10.0.0.7"


@pytest.fixture(autouse=True)
async def known(accounts: Accounts) -> None:
    await accounts.create_account(account(skills={SkillId("tax"): 3}), PASSWORD, 1.0)
    await accounts.create_account(manager(), PASSWORD, 1.0)


async def test_the_right_password_gives_the_account(accounts: Accounts) -> None:
    found = await accounts.authenticate(" LiHua ", PASSWORD, AGENTS, HERE, 10.0)
    assert found == account(skills={SkillId("tax"): 3})


@pytest.mark.parametrize(
    ("login", "password", "roles"),
    [
        ("lihua", "wrong horse", AGENTS),
        ("lihua", "", AGENTS),
        ("lihua", PASSWORD + "x" * 1000, AGENTS),
        ("nobody", PASSWORD, AGENTS),
        ("nobody", "nobody's password", AGENTS),
        ("", PASSWORD, AGENTS),
        ("wangmin", PASSWORD, AGENTS),
        ("lihua", PASSWORD, {AccountRole.MANAGER}),
        ("lihua", PASSWORD, set()),
        ("lihua\x00\ud800", "\x00\ud800", AGENTS),
        ("l" * 10_000, PASSWORD, AGENTS),
    ],
)
async def test_anything_else_gives_nobody(
    accounts: Accounts, login: str, password: str, roles: set[AccountRole]
) -> None:
    assert await accounts.authenticate(login, password, roles, HERE, 10.0) is None


async def test_a_disabled_account_is_nobody(accounts: Accounts) -> None:
    await accounts.disable(AccountId("lihua"))
    assert await accounts.authenticate("lihua", PASSWORD, AGENTS, HERE, 10.0) is None
    found = await accounts.account(AccountId("lihua"))
    assert found is not None
    assert not found.active


async def test_an_unknown_login_costs_a_verification_too(database: Database) -> None:
    class Counting(PasswordHasher):
        verified = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            Counting.verified += 1
            return super().verify(hash, password)

    accounts = Accounts(database, Counting(time_cost=1, memory_cost=8, parallelism=1))
    await accounts.authenticate("nobody", PASSWORD, AGENTS, HERE, 10.0)
    assert Counting.verified == 1


async def test_five_failures_block_the_login_from_everywhere(accounts: Accounts) -> None:
    for number in range(5):
        await accounts.authenticate("lihua", "wrong", AGENTS, f"10.0.1.{number}", 10.0)
    with pytest.raises(TooManyAttempts) as refused:
        await accounts.authenticate("LIHUA", PASSWORD, AGENTS, HERE, 15.0)
    assert refused.value.retry_after == 25.0
    assert await accounts.authenticate("wangmin", PASSWORD, {AccountRole.MANAGER}, HERE, 15.0)
    assert await accounts.authenticate("lihua", PASSWORD, AGENTS, HERE, 40.0)


async def test_five_failures_block_the_address_for_every_login(accounts: Accounts) -> None:
    for number in range(5):
        await accounts.authenticate(f"guess{number}", "wrong", AGENTS, HERE, 10.0)
    with pytest.raises(TooManyAttempts):
        await accounts.authenticate("lihua", PASSWORD, AGENTS, HERE, 15.0)
    assert await accounts.authenticate("lihua", PASSWORD, AGENTS, "10.0.0.8", 15.0)


async def test_an_unknown_login_is_blocked_like_a_known_one(accounts: Accounts) -> None:
    for number in range(5):
        await accounts.authenticate("nobody", "wrong", AGENTS, f"10.0.1.{number}", 10.0)
    with pytest.raises(TooManyAttempts):
        await accounts.authenticate("nobody", "wrong", AGENTS, HERE, 11.0)


async def test_a_day_of_good_logins_from_one_address_is_never_refused(accounts: Accounts) -> None:
    for minute in range(20):
        assert await accounts.authenticate("lihua", PASSWORD, AGENTS, HERE, 60.0 * minute)


async def test_a_new_password_replaces_the_old(accounts: Accounts) -> None:
    await accounts.set_password(AccountId("lihua"), "battery staple")
    assert await accounts.authenticate("lihua", PASSWORD, AGENTS, HERE, 10.0) is None
    assert await accounts.authenticate("lihua", "battery staple", AGENTS, HERE, 10.0)


async def test_a_hash_of_older_parameters_is_renewed_at_the_next_login(database: Database) -> None:
    stronger = Accounts(database, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    before = await _hash(database)
    assert await stronger.authenticate("lihua", PASSWORD, AGENTS, HERE, 10.0)
    after = await _hash(database)
    assert before != after
    assert "t=2" in after
    assert await stronger.authenticate("lihua", PASSWORD, AGENTS, HERE, 11.0)


async def test_passwords_are_kept_as_argon2id_only(database: Database) -> None:
    assert (await _hash(database)).startswith("$argon2id$")


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
async def test_a_password_too_short_or_too_long_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(PasswordRefused):
        await accounts.create_account(account("new"), password, 1.0)
    with pytest.raises(PasswordRefused):
        await accounts.set_password(AccountId("lihua"), password)


@pytest.mark.parametrize("taken", [account("LiHua", id="other"), account("other", id="lihua")])
async def test_a_login_and_an_id_exist_once(accounts: Accounts, taken: Account) -> None:
    with pytest.raises(AccountExists):
        await accounts.create_account(taken, PASSWORD, 1.0)


@pytest.mark.parametrize("login", ["", "  ", "x" * 65])
async def test_a_login_has_1_to_64_characters(accounts: Accounts, login: str) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        await accounts.create_account(account(login, id="new"), PASSWORD, 1.0)


async def test_an_account_is_updated_without_its_password(accounts: Accounts) -> None:
    changed = account(skills={SkillId("land"): 5})
    await accounts.update_account(changed)
    assert await accounts.account(AccountId("lihua")) == changed
    assert await accounts.authenticate("lihua", PASSWORD, AGENTS, HERE, 10.0) == changed
    with pytest.raises(AccountExists):
        await accounts.update_account(account("wangmin", id="lihua"))


async def test_accounts_are_listed_by_login_and_role(accounts: Accounts) -> None:
    assert [found.login for found in await accounts.list_accounts()] == ["lihua", "wangmin"]
    assert [found.name for found in await accounts.list_accounts(AccountRole.MANAGER)] == [
        Text("李华", "Li Hua")
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.set_password(AccountId("nobody"), PASSWORD),
        lambda accounts: accounts.disable(AccountId("nobody")),
        lambda accounts: accounts.update_account(account("nobody")),
    ],
)
async def test_an_unknown_account_cannot_be_changed(
    accounts: Accounts, change: Callable[[Accounts], object]
) -> None:
    with pytest.raises(UnknownAccount):
        await change(accounts)  # type: ignore[misc]
    assert await accounts.account(AccountId("nobody")) is None


async def _hash(database: Database) -> str:
    async with database.read() as connection:
        query = sa.text("SELECT password_hash FROM accounts WHERE id = 'lihua'")
        return str(await connection.scalar(query))
