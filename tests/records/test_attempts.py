import asyncio

import pytest

from records.attempts import FORGET_S, Attempts, TooManyAttempts, by_address, pause_after
from records.database import Database


@pytest.fixture
def attempts(database: Database) -> Attempts:
    return Attempts(database)


def test_the_pause_doubles_up_to_a_quarter_of_an_hour() -> None:
    pauses = [pause_after(failures) for failures in range(1, 13)]
    assert pauses == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert pause_after(1_000_000) == 900


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("10.0.0.7", "login:10.0.0.7"),
        ("::ffff:10.0.0.7", "login:10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "login:2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "login:2001:db8:1:2::/64"),
        ("unix", "login:unix"),
    ],
)
def test_what_counts_as_one_address(address: str, subject: str) -> None:
    assert by_address("login", address) == subject


async def test_five_failures_are_free_then_it_pauses(attempts: Attempts) -> None:
    for second in range(5):
        await attempts.take(["a"], 100.0 + second)
    with pytest.raises(TooManyAttempts) as refused:
        await attempts.take(["a"], 114.0)
    assert refused.value.retry_after == 20.0
    await attempts.take(["b"], 114.0)


async def test_what_was_refused_is_not_counted_and_each_further_failure_doubles(attempts: Attempts) -> None:
    now = 100.0
    for _ in range(5):
        await attempts.take(["a"], now)
    for pause in (30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 900.0):
        for _ in range(3):
            with pytest.raises(TooManyAttempts):
                await attempts.take(["a"], now + pause - 0.001)
        now += pause
        await attempts.take(["a"], now)


async def test_a_hundred_at_once_are_five_guesses(attempts: Attempts) -> None:
    results = await asyncio.gather(
        *(attempts.take(["a", "b"], 100.0) for _ in range(100)), return_exceptions=True
    )
    assert results.count(None) == 5
    assert all(result is None or isinstance(result, TooManyAttempts) for result in results)


async def test_when_one_subject_is_blocked_the_other_is_not_counted(attempts: Attempts) -> None:
    for _ in range(5):
        await attempts.take(["b"], 100.0)
    for _ in range(9):
        with pytest.raises(TooManyAttempts):
            await attempts.take(["a", "b"], 101.0)
    for _ in range(5):
        await attempts.take(["a"], 102.0)


async def test_success_clears_one_subject_and_gives_the_other_one_attempt_back(attempts: Attempts) -> None:
    for _ in range(4):
        await attempts.take(["login", "address"], 100.0)
    await attempts.take(["login", "address"], 100.0)
    await attempts.succeeded(cleared="login", refunded="address")
    await attempts.take(["other", "address"], 101.0)
    with pytest.raises(TooManyAttempts):
        await attempts.take(["other", "address"], 102.0)
    for _ in range(5):
        await attempts.take(["login"], 102.0)


async def test_an_hour_without_failure_is_a_new_beginning(attempts: Attempts) -> None:
    for _ in range(5):
        await attempts.take(["a"], 100.0)
    for _ in range(5):
        await attempts.take(["a"], 100.0 + FORGET_S)
