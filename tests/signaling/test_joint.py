"""Stories of a call that needs two at once: both are rung, both say yes, or neither has it."""

from msgspec.structs import replace

from agents.agent import Release, ReservationId
from records.model import JournalKind, ParticipantId, ParticipantRole
from signaling import events as ev
from signaling.snapshot import RESIDENT, State, slots
from tests.signaling.playbook import (
    AGENT,
    INTERPRETER,
    NOW,
    OTHER,
    SEAT,
    Playbook,
    kinds,
    reservation,
    sees,
)

BESIDE = ParticipantId("interpreter-2")
BOTH = reservation((AGENT, OTHER))
ID = ReservationId("r1")


def ringing() -> Playbook:
    return Playbook.begin(second=INTERPRETER).connected_resident() >> ev.Reserved(BOTH)


def test_both_are_rung_and_their_connections_are_made() -> None:
    story = ringing()
    assert kinds(story) == [JournalKind.RING, JournalKind.RING]
    story << ev.Join(SEAT, ParticipantRole.AGENT, 1) << ev.Join(BESIDE, ParticipantRole.INTERPRETER, 1)
    story.silent().is_(State.OFFERED)


def test_the_call_begins_when_both_have_said_yes_and_the_first_of_them_owns_it() -> None:
    story = ringing().connected_agent() >> ev.Accepted(OTHER, ID)
    story.silent().is_(State.OFFERED)
    assert story.call.reservation is not None
    assert story.call.reservation.accepted == (OTHER,)
    assert (slots(story.call), story.call.agent) == ({}, None)
    story >> ev.Accepted(OTHER, ID)  # told twice
    story.silent().is_(State.OFFERED)
    story >> ev.Accepted(AGENT, ID)
    assert kinds(story) == [JournalKind.ANSWERED, JournalKind.JOINED]
    story << ev.SetSlots << ev.Record((RESIDENT, SEAT, BESIDE))
    story.silent().is_(State.CONNECTING)
    assert story.call.agent == AGENT
    assert all(len(seen) == 2 for seen in sees(story.call).values())
    story.connected(BESIDE).is_(State.ACTIVE)


def test_one_who_declines_takes_it_from_both() -> None:
    story = ringing() >> ev.Accepted(AGENT, ID) >> ev.Declined(OTHER, ID)
    assert [c.data for c in story.commands if isinstance(c, ev.Journal)] == [{"agent": OTHER}]
    held = replace(BOTH, accepted=(AGENT,))
    story << ev.GiveBack(held, Release.DECLINED, OTHER) << ev.Leave(SEAT) << ev.Leave(BESIDE)
    story.silent().is_(State.QUEUED)


def test_only_who_did_not_answer_missed_it() -> None:
    story = ringing() >> ev.Accepted(AGENT, ID)
    story.at(NOW + 20) >> ev.RingExpired(ID)
    assert [c.data for c in story.commands if isinstance(c, ev.Journal)] == [{"agent": OTHER}]
    given = next(c for c in story.commands if isinstance(c, ev.GiveBack))
    assert (given.why, given.by) == (Release.NO_ANSWER, None)
    story.is_(State.QUEUED)


def test_one_whose_socket_falls_silent_lets_both_go() -> None:
    story = ringing() >> ev.RingLost(OTHER, ID)
    story << ev.GiveBack(BOTH, Release.LOST, OTHER) << ev.Leave << ev.Leave
    story.silent().is_(State.QUEUED)


def test_the_resident_who_cancels_lets_both_go() -> None:
    story = ringing() >> ev.LeftByResident()
    (story << ev.GiveBack(BOTH, Release.WITHDRAWN) << ev.CloseRoom()).silent().is_(State.ENDED)


def test_a_reservation_of_one_is_not_what_a_demand_for_two_waits_for() -> None:
    alone = reservation(AGENT)
    story = Playbook.begin(second=INTERPRETER) >> ev.Reserved(alone)
    (story << ev.GiveBack(alone, Release.WITHDRAWN) << ev.Enqueue).silent().is_(State.QUEUED)


def test_the_end_frees_both_and_the_loss_of_the_owner_asks_for_two_again() -> None:
    def begun() -> Playbook:
        story = ringing().connected_agent().connected(BESIDE)
        return story >> ev.Accepted(AGENT, ID) >> ev.Accepted(OTHER, ID)

    story = begun().is_(State.ACTIVE) >> ev.LeftByResident()
    (story << ev.FreeAgent(AGENT) << ev.FreeAgent(OTHER) << ev.CloseRoom()).silent()
    story = begun() >> ev.WentAway(SEAT)
    story.at(NOW + 30) >> ev.DeadlinePassed()
    story << ev.Leave << ev.FreeAgent(AGENT) << ev.Leave << ev.FreeAgent(OTHER) << ev.Enqueue
    assert story.is_(State.QUEUED).call.demand.second == INTERPRETER
    assert [s.participant for s in story.call.seats] == [RESIDENT]
