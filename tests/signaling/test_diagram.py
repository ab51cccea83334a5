"""docs/call-states.md is what the machine does."""

from typing import get_args

from records.model import EndReason
from signaling import diagram
from signaling.events import AnyEvent
from signaling.snapshot import State


def test_the_page_is_up_to_date() -> None:
    assert diagram.OUT.read_text("utf-8") == diagram.page(), "run python -m signaling.diagram"


def test_every_event_is_asked_in_every_state() -> None:
    assert diagram.events_probed() == set(get_args(AnyEvent))
    outcomes, _ = diagram.probed()
    assert {state for state, _ in outcomes} == set(State)


def test_every_ending_is_drawn() -> None:
    _, arrows = diagram.probed()
    drawn = {arrow.label.rpartition("(")[2].rstrip(")") for arrow in arrows if arrow.after is State.ENDED}
    assert drawn == {reason.value for reason in EndReason} - {EndReason.AGENT_LOST}, "of earlier versions"


def test_nothing_leaves_the_end() -> None:
    _, arrows = diagram.probed()
    assert not [arrow for arrow in arrows if arrow.before is State.ENDED]
