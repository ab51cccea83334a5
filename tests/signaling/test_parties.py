"""Stories of an answered call in which people come and go: transfer, consult, join, hold, hand-over, loss."""

import pytest
from msgspec.structs import replace

from agents.agent import DemandId, Lane, Release, ReservationId
from media.protocol import Mid, NodeId, Source, TrackRef
from records.model import EndReason, JournalKind, Outcome, ParticipantId, ParticipantRole
from signaling import events as ev
from signaling.call import InvalidTransition, due, is_still_meant
from signaling.snapshot import (
    RESIDENT,
    AskFailure,
    Joining,
    Moved,
    State,
    demands,
    is_full,
    owner_seat,
    recorded,
    seat_of,
    seat_of_account,
    slots,
)
from tests.signaling.playbook import (
    AGENT,
    CALL,
    EXPERT,
    INTERPRETER,
    NODE,
    NOW,
    OTHER,
    SEAT,
    SECOND_SEAT,
    THIRD,
    Playbook,
    asks_for,
    demand,
    kinds,
    reservation,
    sees,
)

ASKED = DemandId(f"{CALL}.1")
EXPERT_SEAT = ParticipantId("expert-2")


def refused(story: Playbook, *events: ev.AnyEvent) -> None:
    before = story.call
    for event in events:
        with pytest.raises(InvalidTransition):
            story >> event
    assert story.call == before


# --- a cold transfer -------------------------------------------------------------------------------


def test_a_call_that_is_handed_on_waits_at_the_front_and_the_resident_stays_connected() -> None:
    story = Playbook.begin().talking().at(NOW + 60).asked(Joining.TRANSFER)
    assert kinds(story) == [JournalKind.QUEUED_AGAIN, JournalKind.LEFT]
    story << ev.Leave(SEAT) << ev.FreeAgent(AGENT)
    ahead = replace(demand(), lane=Lane.ESCALATED)
    (story << ev.Enqueue(ahead) << ev.SetSlots << ev.Record((RESIDENT,))).silent().is_(State.QUEUED)
    assert (story.call.moved, story.call.agent, story.call.former) == (Moved.TRANSFER, AGENT, (AGENT,))
    assert story.call.demand.enqueued_at == NOW, "it has waited since it was placed"
    assert slots(story.call) == {}
    resident = seat_of(story.call, RESIDENT)
    assert resident is not None
    assert (resident.connected, resident.generation) == (True, 1)


def test_the_next_agent_becomes_the_owner_and_the_first_answer_counts() -> None:
    story = Playbook.begin().talking().at(NOW + 60).asked(Joining.TRANSFER)
    story >> ev.Reserved(reservation(OTHER, 2, NOW + 80))
    (story << ev.Join(SECOND_SEAT, ParticipantRole.AGENT, 1)).silent().is_(State.OFFERED)
    story.at(NOW + 70).connected(SECOND_SEAT) >> ev.Accepted(OTHER, ReservationId("r2"))
    story << ev.SetSlots << ev.Record((RESIDENT, SECOND_SEAT))
    story.silent().is_(State.ACTIVE)
    assert (story.call.agent, story.call.moved) == (OTHER, None)
    assert (story.call.answered_at, story.call.accepted_at) == (NOW, NOW + 70)
    assert due(story.call) is None


def test_what_is_handed_to_one_person_goes_back_to_its_queue_when_that_one_does_not_come() -> None:
    story = Playbook.begin().talking().at(NOW + 60).asked(Joining.TRANSFER, person=OTHER)
    assert demands(story.call)[0].wanted == OTHER
    assert due(story.call) == NOW + 90
    story.at(NOW + 90) >> ev.DeadlinePassed()
    (story << ev.Enqueue(replace(demand(), lane=Lane.ESCALATED))).silent().is_(State.QUEUED)
    assert due(story.call) == NOW + 60 + 1800


def test_a_ring_goes_on_past_the_time_to_fall_back() -> None:
    story = Playbook.begin().talking().asked(Joining.TRANSFER, person=OTHER).at(NOW + 25)
    story >> ev.Reserved(reservation(OTHER, 2, NOW + 45))
    (story.at(NOW + 31) >> ev.DeadlinePassed()).silent().is_(State.OFFERED)
    story >> ev.RingExpired(ReservationId("r2"))
    story << ev.GiveBack(reservation(OTHER, 2, NOW + 45), Release.NO_ANSWER) << ev.Leave(SECOND_SEAT)
    (story << ev.Enqueue).silent().is_(State.QUEUED)
    assert story.call.demand.wanted is None


def test_the_one_person_who_declines_is_not_waited_for() -> None:
    story = Playbook.begin().talking().asked(Joining.TRANSFER, person=OTHER)
    story >> ev.Reserved(reservation(OTHER, 2)) >> ev.Declined(OTHER, ReservationId("r2"))
    story << ev.GiveBack(reservation(OTHER, 2), Release.DECLINED, OTHER) << ev.Leave(SECOND_SEAT)
    (story << ev.Enqueue(replace(demand(), lane=Lane.ESCALATED))).silent().is_(State.QUEUED)


def test_once_somebody_answered_it_is_no_longer_for_one_person() -> None:
    story = Playbook.begin().talking().asked(Joining.TRANSFER, person=OTHER)
    story >> ev.Reserved(reservation(OTHER, 2)) >> ev.Accepted(OTHER, ReservationId("r2"))
    call = story.connected(SECOND_SEAT).is_(State.ACTIVE).call
    assert (call.demand.wanted, call.fallback, call.fallback_at) == (None, None, None)


def test_who_hangs_up_while_handed_on_is_told_apart_from_who_never_was_answered() -> None:
    story = Playbook.begin().talking().asked(Joining.TRANSFER) >> ev.LeftByResident()
    (story << ev.Withdraw(DemandId(CALL)) << ev.CloseRoom()).silent().is_(State.ENDED)
    assert story.call.end_reason is EndReason.TRANSFER_ABANDONED


def test_a_late_reservation_of_before_the_transfer_is_refused_and_the_call_goes_on_waiting() -> None:
    story = Playbook.begin().connected_resident() >> ev.Reserved(reservation(AGENT, 7))
    story >> ev.Accepted(AGENT, ReservationId("r7"))
    story.connected_agent().is_(State.ACTIVE).asked(Joining.TRANSFER)
    late = reservation(OTHER, 6)
    story >> ev.Reserved(late)
    (story << ev.GiveBack(late, Release.WITHDRAWN) << ev.Enqueue).silent().is_(State.QUEUED)
    story >> ev.Reserved(reservation(OTHER, 8))
    story.is_(State.OFFERED)


def test_nobody_waits_for_ever() -> None:
    story = Playbook.begin()
    assert due(story.call) == NOW + 1800
    story.at(NOW + 1800) >> ev.DeadlinePassed()
    (story << ev.Withdraw(DemandId(CALL)) << ev.CloseRoom()).silent().is_(State.ENDED)
    assert story.call.end_reason is EndReason.UNANSWERED


def test_a_transfer_takes_everybody_else_out_too() -> None:
    story = Playbook.begin().talking().joined(party=INTERPRETER).asked(Joining.TRANSFER)
    story << ev.Leave(SEAT) << ev.FreeAgent(AGENT)
    story << ev.Leave(ParticipantId("interpreter-2")) << ev.FreeAgent(OTHER) << ev.Enqueue
    assert [s.participant for s in story.call.seats] == [RESIDENT]


# --- somebody is asked to join -----------------------------------------------------------------------


def test_somebody_asked_for_is_rung_under_the_calls_second_demand_while_the_two_talk_on() -> None:
    story = Playbook.begin().talking().at(NOW + 5).asked(Joining.JOIN, EXPERT)
    assert kinds(story) == [JournalKind.ASKED]
    asked = replace(demand(ASKED, EXPERT), lane=Lane.ESCALATED, enqueued_at=NOW + 5)
    (story << ev.Enqueue(asked)).silent().is_(State.ACTIVE)
    story.rung_for_ask()
    (story << ev.Join(EXPERT_SEAT, ParticipantRole.EXPERT, 1)).silent().is_(State.ACTIVE)
    assert EXPERT_SEAT not in slots(story.call)
    assert recorded(story.call) == (RESIDENT, SEAT)


def test_who_joins_is_seen_and_recorded_at_once_and_nobodys_picture_moves() -> None:
    story = Playbook.begin().talking().asked(Joining.JOIN, EXPERT)
    before = slots(story.call)
    story.came()
    assert kinds(story) == [JournalKind.JOINED]
    (story << ev.SetSlots << ev.Record((RESIDENT, SEAT, EXPERT_SEAT))).silent().is_(State.ACTIVE)
    now = slots(story.call)
    for viewer in (RESIDENT, SEAT):
        assert before[viewer].items() <= now[viewer].items()
        assert now[viewer][Mid.VIDEO_2] == TrackRef(EXPERT_SEAT, Source.CAMERA)
    assert now[EXPERT_SEAT][Mid.CAMERA] == TrackRef(RESIDENT, Source.CAMERA)
    assert now[EXPERT_SEAT][Mid.VIDEO_2] == TrackRef(SEAT, Source.CAMERA)
    assert (story.call.agent, story.call.ask) == (AGENT, None)


def test_who_leaves_leaves_a_gap_and_the_next_one_fills_it() -> None:
    story = Playbook.begin().talking().joined().joined(agent=THIRD, number=3)
    third = ParticipantId("agent-3")
    assert is_full(story.call)
    before = slots(story.call)[RESIDENT]
    story >> ev.HungUpByAgent(OTHER)
    assert kinds(story) == [JournalKind.LEFT]
    story << ev.Leave(SECOND_SEAT) << ev.FreeAgent(OTHER) << ev.SetSlots << ev.Record((RESIDENT, SEAT, third))
    left = {mid: t for mid, t in before.items() if t.participant != SECOND_SEAT}
    assert slots(story.call)[RESIDENT] == left
    story.joined(agent=OTHER, number=4)
    assert slots(story.call)[RESIDENT][Mid.VIDEO_2].participant == "agent-4"


def test_four_are_as_many_as_can_be_and_who_is_asked_for_counts() -> None:
    story = Playbook.begin().talking().joined()
    story.asked()
    assert is_full(story.call)
    story.came(THIRD, 3)
    refused(story, asks_for(Joining.JOIN), asks_for(Joining.CONSULT))


def test_one_is_asked_for_at_a_time_and_by_the_owner_alone() -> None:
    story = Playbook.begin().talking()
    refused(story, asks_for(Joining.JOIN, by=OTHER))
    story.asked()
    refused(story, *(asks_for(kind) for kind in Joining))
    refused(Playbook.begin().ringing(), asks_for(Joining.JOIN))


def test_the_next_one_is_rung_when_one_declines() -> None:
    story = Playbook.begin().talking().asked().rung_for_ask() >> ev.Declined(OTHER, ReservationId("r2"))
    assert kinds(story) == [JournalKind.DECLINED]
    story << ev.GiveBack(reservation(OTHER, 2, NOW + 20, ASKED), Release.DECLINED, OTHER)
    (story << ev.Leave(SECOND_SEAT)).silent().is_(State.ACTIVE)
    assert [d.id for d in demands(story.call)] == [ASKED]
    story.came(THIRD, 3)
    assert seat_of_account(story.call, THIRD) is not None


def test_a_colleague_who_declines_is_not_asked_again() -> None:
    story = Playbook.begin().talking().asked(person=OTHER).rung_for_ask()
    story >> ev.Declined(OTHER, ReservationId("r2"))
    story << ev.GiveBack << ev.Leave(SECOND_SEAT)
    (story << ev.Withdraw(ASKED)).silent().is_(State.ACTIVE)
    failed = story.call.failed_ask
    assert story.call.ask is None
    assert failed is not None
    assert (failed.number, failed.why) == (1, AskFailure.DECLINED)
    story.asked()
    assert story.call.failed_ask is None


@pytest.mark.parametrize("rung", [False, True])
def test_an_ask_lasts_a_minute(rung: bool) -> None:
    story = Playbook.begin().talking().asked()
    assert due(story.call) == NOW + 60
    if rung:
        story.at(NOW + 50).rung_for_ask()
    story.at(NOW + 60) >> ev.DeadlinePassed()
    assert kinds(story) == [JournalKind.ASK_FAILED]
    if rung:
        story << ev.GiveBack(reservation(OTHER, 2, NOW + 70, ASKED), Release.WITHDRAWN)
        story << ev.Leave(SECOND_SEAT)
    else:
        story << ev.Withdraw(ASKED)
    failed = story.silent().is_(State.ACTIVE).call.failed_ask
    assert failed is not None
    assert failed.why is AskFailure.NOBODY_CAME


def test_an_ask_is_dropped_without_a_word_of_failure() -> None:
    story = Playbook.begin().talking().asked() >> ev.AskDropped(AGENT)
    (story << ev.Withdraw(ASKED)).silent()
    assert story.call.failed_ask is None
    refused(story, ev.AskDropped(AGENT))
    assert not is_still_meant(story.call, ev.Enqueue(demand(ASKED)))
    assert is_still_meant(story.call, ev.Withdraw(ASKED))


def test_an_answer_to_an_ask_that_was_dropped_comes_too_late() -> None:
    story = Playbook.begin().talking().asked().rung_for_ask() >> ev.AskDropped(AGENT)
    refused(story, ev.Accepted(OTHER, ReservationId("r2")))
    late = reservation(OTHER, 3, NOW + 20, ASKED)
    story >> ev.Reserved(late)
    (story << ev.GiveBack(late, Release.WITHDRAWN)).silent()


def test_an_ask_that_rings_at_nobody_goes_on_until_its_time_is_over() -> None:
    story = Playbook.begin().talking().asked(person=OTHER).rung_for_ask()
    story >> ev.RingExpired(ReservationId("r2"))
    story << ev.GiveBack(reservation(OTHER, 2, NOW + 20, ASKED), Release.NO_ANSWER) << ev.Leave(SECOND_SEAT)
    story.silent()
    assert story.call.ask is not None
    story.rung_for_ask(number=3) >> ev.RingLost(OTHER, ReservationId("r3"))
    story << ev.GiveBack(reservation(OTHER, 3, NOW + 20, ASKED), Release.LOST, OTHER) << ev.Leave
    assert story.call.ask is not None


def test_the_calls_end_lets_go_of_who_is_asked_for() -> None:
    story = Playbook.begin().talking().asked() >> ev.LeftByResident()
    (story << ev.Withdraw(ASKED) << ev.FreeAgent(AGENT) << ev.CloseRoom()).silent()
    story = Playbook.begin().talking().asked().rung_for_ask() >> ev.LeftByResident()
    story << ev.GiveBack(reservation(OTHER, 2, NOW + 20, ASKED), Release.WITHDRAWN)
    (story << ev.FreeAgent(AGENT) << ev.CloseRoom()).silent()
    assert [s.participant for s in story.call.seats] == [RESIDENT, SEAT], "who was only rung was not there"


def test_nobody_is_rung_to_join_what_no_node_carries() -> None:
    story = Playbook.begin().talking().asked() >> ev.NodeGone(NODE, None)
    (story << ev.Withdraw(ASKED)).silent()
    early = reservation(OTHER, 2, NOW + 20, ASKED)
    story >> ev.Reserved(early)
    (story << ev.GiveBack(early, Release.WITHDRAWN)).silent()
    story >> ev.NodeGone(NODE, NodeId("node-b"))
    story << ev.OpenRoom() << ev.Join << ev.Join << ev.SetSlots << ev.Record
    (story << ev.Enqueue).silent()
    story.rung_for_ask(number=3) >> ev.NodeGone(NodeId("node-b"), None)
    story << ev.GiveBack(reservation(OTHER, 3, NOW + 20, ASKED), Release.WITHDRAWN)
    (story << ev.Leave(SECOND_SEAT)).silent()


# --- consult and hold --------------------------------------------------------------------------------


def test_who_is_consulted_talks_with_the_agent_while_the_resident_is_on_hold() -> None:
    story = Playbook.begin().talking().asked(Joining.CONSULT)
    assert not story.call.on_hold, "nobody has come yet"
    story.came()
    assert kinds(story) == [JournalKind.HELD, JournalKind.JOINED]
    assert story.call.on_hold
    assert sees(story.call) == {RESIDENT: set(), SEAT: {SECOND_SEAT}, SECOND_SEAT: {SEAT}}
    assert slots(story.call)[SEAT][Mid.VIDEO_2].participant == SECOND_SEAT
    story >> ev.HungUpByAgent(OTHER)
    assert story.call.on_hold, "the owner alone takes the resident back"
    story >> ev.HoldSet(AGENT, on=False)
    assert kinds(story) == [JournalKind.RESUMED]
    assert sees(story.call) == {RESIDENT: {SEAT}, SEAT: {RESIDENT}}


def test_a_consultation_may_become_a_call_of_three() -> None:
    story = Playbook.begin().talking().joined(Joining.CONSULT) >> ev.HoldSet(AGENT, on=False)
    assert all(len(seen) == 2 for seen in sees(story.call).values())


def test_hold_is_the_owners_and_told_twice_it_changes_nothing() -> None:
    story = Playbook.begin().talking() >> ev.HoldSet(AGENT, on=True)
    assert kinds(story) == [JournalKind.HELD]
    (story << ev.SetSlots).silent()
    assert kinds(story >> ev.HoldSet(AGENT, on=True)) == []
    story.joined()
    assert kinds(story) == [JournalKind.JOINED]
    refused(story, ev.HoldSet(OTHER, on=False))


def test_what_the_agent_shares_is_not_shown_to_a_resident_on_hold() -> None:
    story = Playbook.begin().talking().joined() >> ev.ShareSet(SEAT, on=True)
    assert slots(story.call)[RESIDENT][Mid.SHARE] == slots(story.call)[SECOND_SEAT][Mid.SHARE]
    story >> ev.HoldSet(AGENT, on=True)
    assert Mid.SHARE not in slots(story.call)[RESIDENT]
    assert slots(story.call)[SECOND_SEAT][Mid.SHARE] == TrackRef(SEAT, Source.SHARE)


def test_who_is_only_rung_has_nothing_to_show() -> None:
    refused(Playbook.begin().talking().asked().rung_for_ask(), ev.ShareSet(SECOND_SEAT, on=True))


# --- the owner changes -------------------------------------------------------------------------------


def test_a_warm_hand_over_makes_the_other_one_the_owner_and_lifts_the_hold() -> None:
    story = Playbook.begin().talking().joined(Joining.CONSULT) >> ev.HandedOver(AGENT, SECOND_SEAT)
    assert kinds(story) == [JournalKind.HANDED_OVER, JournalKind.RESUMED, JournalKind.LEFT]
    story << ev.Leave(SEAT) << ev.FreeAgent(AGENT) << ev.SetSlots << ev.Record((RESIDENT, SECOND_SEAT))
    story.silent().is_(State.ACTIVE)
    assert (story.call.agent, story.call.former, story.call.on_hold) == (OTHER, (AGENT,), False)
    assert sees(story.call) == {RESIDENT: {SECOND_SEAT}, SECOND_SEAT: {RESIDENT}}
    refused(story, ev.HoldSet(AGENT, on=True), ev.HungUpByAgent(AGENT))
    story >> ev.HungUpByAgent(OTHER)
    (story << ev.FreeAgent(OTHER) << ev.CloseRoom()).silent()
    story >> ev.OutcomeSet(OTHER, Outcome.RESOLVED, "")
    refused(story, ev.OutcomeSet(AGENT, Outcome.OTHER, ""))
    assert kinds(story >> ev.NoteAdded(AGENT, "n", "k")) == [JournalKind.NOTE]


def test_a_call_is_handed_to_an_agent_or_expert_who_is_in_it() -> None:
    story = Playbook.begin().talking().joined(party=INTERPRETER)
    interpreter = ParticipantId("interpreter-2")
    targets = (interpreter, RESIDENT, SEAT, ParticipantId("nobody"))
    refused(story, *(ev.HandedOver(AGENT, to) for to in targets))
    story.asked(party=EXPERT).rung_for_ask(THIRD, 3)
    refused(story, ev.HandedOver(AGENT, ParticipantId("expert-3")))
    story >> ev.Accepted(THIRD, ReservationId("r3"))
    refused(story, ev.HandedOver(THIRD, ParticipantId("expert-3")))
    story >> ev.HandedOver(AGENT, ParticipantId("expert-3"))
    assert story.call.agent == THIRD


def test_what_the_former_owner_asked_for_and_shared_is_over() -> None:
    story = Playbook.begin().talking().joined() >> ev.ShareSet(SEAT, on=True)
    story.asked() >> ev.HandedOver(AGENT, SECOND_SEAT)
    assert JournalKind.SHARE_STOPPED in kinds(story)
    story << ev.Withdraw(DemandId(f"{CALL}.2")) << ev.Leave(SEAT)
    assert (story.call.ask, story.call.sharing) == (None, None)


def test_the_owner_sends_others_away_but_not_the_resident() -> None:
    story = Playbook.begin().talking().joined()
    refused(story, *(ev.SentAway(AGENT, p) for p in (RESIDENT, SEAT)), ev.SentAway(OTHER, SEAT))
    story >> ev.SentAway(AGENT, SECOND_SEAT)
    story << ev.Leave(SECOND_SEAT) << ev.FreeAgent(OTHER) << ev.SetSlots << ev.Record
    story.silent().is_(State.ACTIVE)


def test_who_left_may_be_asked_again_and_is_not_let_go_by_what_comes_late() -> None:
    story = Playbook.begin().talking().joined() >> ev.SentAway(AGENT, SECOND_SEAT)
    assert is_still_meant(story.call, ev.FreeAgent(OTHER))
    story.joined(number=3)
    assert not is_still_meant(story.call, ev.FreeAgent(OTHER))
    assert not is_still_meant(story.call, ev.Record((RESIDENT, SEAT)))
    story >> ev.LeftByResident()
    assert is_still_meant(story.call, ev.FreeAgent(OTHER))
    assert story.call.former == (OTHER,)


# --- somebody is lost --------------------------------------------------------------------------------


def gone(story: Playbook, who: ParticipantId) -> Playbook:
    story >> ev.WentAway(who)
    return story.at(story.now + 30) >> ev.DeadlinePassed()


def test_a_call_whose_agent_is_lost_goes_back_to_the_front_of_the_line() -> None:
    story = gone(Playbook.begin().talking().at(NOW + 100), SEAT)
    assert kinds(story) == [JournalKind.QUEUED_AGAIN, JournalKind.LEFT]
    story << ev.Leave(SEAT) << ev.FreeAgent(AGENT) << ev.Enqueue(replace(demand(), lane=Lane.RETURNING))
    (story << ev.SetSlots << ev.Record((RESIDENT,))).silent().is_(State.QUEUED)
    assert (story.call.moved, story.call.agent) == (Moved.AGENT_LOST, AGENT)


def test_media_that_does_not_come_back_is_as_good_as_lost() -> None:
    story = Playbook.begin().talking() >> ev.LegDown(SEAT, 1, "silent")
    story.at(NOW + 30) >> ev.DeadlinePassed()
    story.is_(State.QUEUED)


def test_another_agent_in_the_call_goes_on_with_it() -> None:
    story = gone(Playbook.begin().talking().joined(Joining.CONSULT, EXPERT), SEAT)
    assert kinds(story) == [JournalKind.HANDED_OVER, JournalKind.RESUMED, JournalKind.LEFT]
    story << ev.Leave(SEAT) << ev.FreeAgent(AGENT) << ev.SetSlots << ev.Record((RESIDENT, EXPERT_SEAT))
    story.silent().is_(State.ACTIVE)
    assert story.call.agent == OTHER


def test_an_interpreter_alone_does_not_go_on_with_it() -> None:
    gone(Playbook.begin().talking().joined(party=INTERPRETER), SEAT).is_(State.QUEUED)


def test_somebody_else_who_is_lost_just_leaves() -> None:
    story = gone(Playbook.begin().talking().joined(), SECOND_SEAT)
    story << ev.Leave(SECOND_SEAT) << ev.FreeAgent(OTHER) << ev.SetSlots << ev.Record((RESIDENT, SEAT))
    story.silent().is_(State.ACTIVE)


def test_who_vanishes_while_rung_to_join_does_not_hold_the_ask_up() -> None:
    story = Playbook.begin().talking().asked().rung_for_ask() >> ev.WentAway(SECOND_SEAT)
    assert kinds(story) == []
    story.at(NOW + 5) >> ev.DeadlinePassed()
    story << ev.GiveBack(reservation(OTHER, 2, NOW + 20, ASKED), Release.LOST, OTHER)
    (story << ev.Leave(SECOND_SEAT)).silent()
    assert [d.id for d in demands(story.call)] == [ASKED]


def test_the_resident_who_is_lost_while_handed_on_ends_the_call() -> None:
    story = Playbook.begin().talking().asked(Joining.TRANSFER) >> ev.WentAway(RESIDENT)
    assert due(story.call) == NOW + 20
    story.at(NOW + 20) >> ev.DeadlinePassed()
    assert story.call.end_reason is EndReason.RESIDENT_LOST


def test_a_call_that_waits_once_more_is_recorded_on_another_node_too() -> None:
    story = Playbook.begin().talking().asked(Joining.TRANSFER) >> ev.NodeGone(NODE, NodeId("node-b"))
    story << ev.OpenRoom() << ev.Join(RESIDENT, ParticipantRole.RESIDENT, 2) << ev.Record((RESIDENT,))
    story.silent().is_(State.QUEUED)


def test_a_ring_whose_agent_falls_silent_is_over_at_once_and_blames_nobody() -> None:
    story = Playbook.begin().ringing() >> ev.RingLost(AGENT, ReservationId("r1"))
    (story << ev.GiveBack(reservation(), Release.LOST, AGENT) << ev.Leave(SEAT)).silent().is_(State.QUEUED)
    (story >> ev.RingLost(AGENT, ReservationId("r1"))).silent().is_(State.QUEUED)


def test_saying_yes_twice_is_saying_it_once() -> None:
    story = Playbook.begin().talking()
    before = story.call
    assert (story.accepted()).call == before
    story.joined() >> ev.Accepted(OTHER, ReservationId("r2"))
    assert owner_seat(story.call) == seat_of(story.call, SEAT)


def test_a_reservation_of_before_comes_too_late() -> None:
    """Won by a dispatcher in a life of the store that is over: its fence is not above the last accepted."""
    story = Playbook.begin().talking() >> asks_for(Joining.TRANSFER)
    late = replace(reservation(OTHER, number=1), id=ReservationId("late"))
    assert late.fence == story.call.fence
    story = story >> ev.Reserved(late) << ev.GiveBack(late, Release.WITHDRAWN)
    story.is_(State.QUEUED)
    newer = reservation(OTHER, number=2)
    (story >> ev.Reserved(newer)).is_(State.OFFERED)
