"""The lite agent: whom it answers, what it learns, where it sends."""

import pytest

from media.net import stun
from media.net.batch import address_of
from media.net.ice import MAX_PATHS, Agent, Credentials, Path
from media.net.stun import Attribute, Kind

OURS = Credentials("ours", "our-password")
NEW = Credentials("new", "new-password")
HOME = Path(0, address_of("198.51.100.1", 5000))
CABLE = Path(1, address_of("2001:db8::5", 6000))
NOMINATE = (Attribute.USE_CANDIDATE, b"")
PRIORITY = (Attribute.PRIORITY, bytes(4))


def check(
    *attributes: tuple[Attribute, bytes], credentials: Credentials = OURS, priority: bool = True
) -> stun.Message:
    head = [(Attribute.USERNAME, f"{credentials.ufrag}:theirs".encode())] + [PRIORITY] * priority
    data = stun.build(Kind.REQUEST, bytes(12), [*head, *attributes], credentials.password.encode())
    return stun.parse(data)


def test_credentials_have_the_randomness_that_the_standard_asks_for() -> None:
    one, other = Credentials.fresh(), Credentials.fresh()
    assert one != other
    assert len(one.ufrag) * 4 >= 24
    assert len(one.password) * 4 >= 128


def test_an_answer_tells_where_the_check_came_from_and_is_signed() -> None:
    outcome = Agent(OURS).check(check(), "ours", CABLE)
    assert outcome is not None
    response = stun.parse(outcome.response)
    assert (response.kind, response.mapped_address) == (Kind.SUCCESS, CABLE.address)
    assert response.is_authentic(b"our-password")
    assert outcome.learnt


def test_a_wrong_password_changes_nothing_and_gets_no_answer() -> None:
    agent = Agent(OURS)
    assert agent.check(check(NOMINATE, credentials=Credentials("ours", "guess")), "ours", HOME) is None
    assert agent.check(check(NOMINATE, credentials=NEW), "new", HOME) is None
    assert (agent.path, agent.paths) == (None, {})


def test_the_first_path_is_used_until_one_is_nominated_and_then_the_last() -> None:
    agent = Agent(OURS)
    used = []
    for path, extra in ((HOME, ()), (CABLE, ()), (CABLE, (NOMINATE,)), (HOME, ()), (HOME, (NOMINATE,))):
        agent.check(check(*extra), "ours", path)
        used.append(agent.path)
    assert used == [HOME, HOME, CABLE, CABLE, HOME]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (check((Attribute.ICE_CONTROLLED, bytes(8))), 487),
        (check(priority=False), 400),
        (check((Attribute.UNKNOWN_ATTRIBUTES, b"")), None),
    ],
)
def test_what_is_refused_in_words(request_: stun.Message, code: int | None) -> None:
    agent = Agent(OURS)
    outcome = agent.check(request_, "ours", HOME)
    assert outcome is not None
    assert stun.parse(outcome.response).error == code
    assert outcome.learnt is (code is None)
    assert (agent.path is None) is (code is not None)


def test_an_attribute_that_must_be_understood_is_named_in_the_refusal() -> None:
    request = check()
    strange = stun.Message(
        request.kind, request.transaction, {0x7777: b"", **request.attributes}, request.covered
    )
    outcome = Agent(OURS).check(strange, "ours", HOME)
    assert outcome is not None
    response = stun.parse(outcome.response)
    assert response.error == 420
    assert response.attributes[Attribute.UNKNOWN_ATTRIBUTES] == b"\x77\x77"


def test_restart() -> None:
    agent = Agent(OURS)
    agent.check(check(NOMINATE), "ours", HOME)
    assert agent.restart(NEW) is None
    assert agent.path == HOME
    old = agent.check(check(), "ours", HOME)
    assert old is not None
    assert old.retired is None
    new = agent.check(check(NOMINATE, credentials=NEW), "new", CABLE)
    assert new is not None
    assert (new.retired, agent.path) == ("ours", CABLE)
    assert agent.check(check(), "ours", HOME) is None


def test_the_oldest_path_is_forgotten_but_not_the_one_in_use() -> None:
    agent = Agent(OURS)
    agent.check(check(NOMINATE), "ours", HOME)
    paths = [Path(0, address_of("198.51.100.1", port)) for port in range(1, 1 + MAX_PATHS)]
    outcomes = [agent.check(check(), "ours", path) for path in paths]
    assert [outcome.forgotten for outcome in outcomes if outcome] == [None] * (MAX_PATHS - 1) + [paths[0]]
    assert list(agent.paths) == [HOME, *paths[1:]]
