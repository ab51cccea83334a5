"""Who is let into the queue, and what the others are told."""

from datetime import datetime
from zoneinfo import ZoneInfo

from agents.admission import admit
from agents.agent import Admitting, Party
from agents.plan import Ring, Scope
from records.model import Hours, ItemId, Span
from tests.agents.district import (
    FORD,
    HELPER,
    MILL,
    PLAN,
    REFUND,
    SIGN,
    TAX,
    ZONE,
    away,
    busy,
    free,
    picture,
    plan,
    queue,
    waits,
)

OFFICE = Hours((Span((1, 2, 3, 4, 5), 9 * 60, 17 * 60),))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp()


def test_open_says_how_many_wait_and_could_help() -> None:
    here = picture([free("lin"), busy(free("wang")), away(free("zhao"))], [waits("a"), waits("b")])
    answer = admit(here, PLAN, REFUND, MILL, 0)
    assert (answer.kind, answer.waiting, answer.on_duty) == (Admitting.OPEN, 2, 2)


def test_outside_its_hours_a_queue_says_when_it_opens() -> None:
    of = plan(queue(hours=OFFICE))
    answer = admit(picture([free("lin")], of=of), of, REFUND, MILL, at("2026-09-25T18:00"))
    assert (answer.kind, answer.opens_at) == (Admitting.CLOSED, at("2026-09-28T09:00"))
    assert (
        admit(picture([free("lin")], of=of), of, REFUND, MILL, at("2026-09-28T09:00")).kind is Admitting.OPEN
    )


def test_nobody_when_nobody_on_duty_could_ever_take_it() -> None:
    for agents in ([], [away(free("lin"))], [free("lin", {SIGN: 5})], [free("lin", hours=OFFICE)]):
        answer = admit(picture(agents), PLAN, REFUND, MILL, at("2026-09-26T10:00"))
        assert answer.kind is Admitting.NOBODY


def test_somebody_in_the_last_ring_is_somebody() -> None:
    rings = (Ring(Scope.OWN_SITE), Ring(Scope.POOL, 600.0))
    of = plan(queue(*rings, pool=HELPER))
    assert (
        admit(picture([busy(free("lin", {HELPER: 1}, site=FORD))]), of, REFUND, MILL, 0).kind
        is Admitting.OPEN
    )
    assert admit(picture([free("lin", site=FORD)]), of, REFUND, MILL, 0).kind is Admitting.NOBODY


def test_full_when_as_many_wait_as_may() -> None:
    of = plan(queue(longest=2))
    crowd = [waits("a"), waits("b")]
    assert admit(picture([free("lin")], crowd[:1], of), of, REFUND, MILL, 0).kind is Admitting.OPEN
    assert admit(picture([free("lin")], crowd, of), of, REFUND, MILL, 0).kind is Admitting.FULL


def test_what_the_resident_needs_besides_counts() -> None:
    here = picture([free("lin")])
    signing = Party(needs={TAX: 1, SIGN: 1})
    assert admit(here, PLAN, REFUND, MILL, 0, signing).kind is Admitting.NOBODY
    assert (
        admit(picture([free("lin", {TAX: 1, SIGN: 1})]), PLAN, REFUND, MILL, 0, signing).kind
        is Admitting.OPEN
    )


def test_an_unknown_item_has_nobody() -> None:
    assert admit(picture([free("lin")]), PLAN, ItemId("unknown"), MILL, 0).kind is Admitting.NOBODY
