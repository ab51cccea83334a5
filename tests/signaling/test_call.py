"""Stories of a call, one paragraph each."""

import pytest
from msgspec.structs import replace

from agents.agent import DemandId, Release, ReservationId
from media.protocol import Mid, NodeId, Source, TrackRef, VideoCodec
from records.model import EndReason, JournalKind, Outcome, ParticipantId, ParticipantRole, RatingReason
from signaling import events as ev
from signaling.call import InvalidTransition, due, is_still_meant
from signaling.snapshot import (
    RESIDENT,
    State,
    seat_with,
    share_codecs,
    slots,
)
from tests.signaling.playbook import AGENT, CALL, NODE, NOW, OTHER, SEAT, Playbook, kinds, reservation


def test_a_new_call_waits_and_connects_meanwhile() -> None:
    story = Playbook.begin()
    story << ev.OpenRoom() << ev.Join(RESIDENT, ParticipantRole.RESIDENT, 1) << ev.Enqueue
    story.silent().is_(State.QUEUED)


def test_it_rings_at_one_agent_whose_connection_is_made_meanwhile() -> None:
    story = Playbook.begin().connected_resident().ringing()
    (story << ev.Join(SEAT, ParticipantRole.AGENT, 1)).silent().is_(State.OFFERED)
    assert slots(story.call) == {}, "nobody sees anybody before the agent accepts"


def test_accepting_shows_and_records_both_at_once() -> None:
    story = Playbook.begin().connected_resident().ringing().connected_agent().accepted()
    story << ev.SetSlots << ev.Record((RESIDENT, SEAT))
    story.silent().is_(State.ACTIVE)
    assert slots(story.call) == {
        RESIDENT: {Mid.MIC: TrackRef(SEAT, Source.MIC), Mid.CAMERA: TrackRef(SEAT, Source.CAMERA)},
        SEAT: {Mid.MIC: TrackRef(RESIDENT, Source.MIC), Mid.CAMERA: TrackRef(RESIDENT, Source.CAMERA)},
    }


def test_accepting_before_the_connection_is_up_waits_for_it() -> None:
    story = Playbook.begin().connected_resident().ringing().accepted().is_(State.CONNECTING)
    story.connected_agent().is_(State.ACTIVE)
    assert story.call.connected_at == NOW


def test_a_declined_call_goes_back_to_its_place() -> None:
    story = Playbook.begin().ringing().at(NOW + 3) >> ev.Declined(AGENT, ReservationId("r1"))
    (story << ev.GiveBack(reservation(), Release.DECLINED, AGENT) << ev.Leave(SEAT)).silent().is_(
        State.QUEUED
    )
    assert story.call.requested_at == NOW


def test_a_ring_that_nobody_answers_goes_back_and_the_next_agent_has_a_seat_of_its_own() -> None:
    story = Playbook.begin().ringing().at(NOW + 20) >> ev.RingExpired(ReservationId("r1"))
    story << ev.GiveBack(reservation(), Release.NO_ANSWER) << ev.Leave(SEAT)
    story >> ev.Reserved(reservation(OTHER, 2, NOW + 40))
    (story << ev.Join(ParticipantId("agent-2"), ParticipantRole.AGENT, 1)).is_(State.OFFERED)


def test_an_answer_that_comes_after_the_ring_is_refused() -> None:
    story = Playbook.begin().ringing() >> ev.RingExpired(ReservationId("r1"))
    with pytest.raises(InvalidTransition):
        story.accepted()
    story.is_(State.QUEUED)


def test_another_agents_answer_is_refused() -> None:
    story = Playbook.begin().ringing()
    with pytest.raises(InvalidTransition):
        story >> ev.Accepted(OTHER, ReservationId("r1"))


def test_a_second_reservation_for_a_ringing_call_goes_back() -> None:
    late = reservation(OTHER, 2)
    story = Playbook.begin().ringing() >> ev.Reserved(late)
    (story << ev.GiveBack(late, Release.WITHDRAWN)).silent().is_(State.OFFERED)


def test_cancelling_while_it_waits_takes_it_out_of_the_queue() -> None:
    story = Playbook.begin() >> ev.LeftByResident()
    (story << ev.Withdraw(DemandId(CALL)) << ev.CloseRoom()).silent().is_(State.ENDED)
    assert story.call.end_reason is EndReason.CANCELLED


def test_cancelling_while_it_rings_lets_the_agent_go() -> None:
    story = Playbook.begin().ringing() >> ev.LeftByResident()
    (story << ev.GiveBack(reservation(), Release.WITHDRAWN) << ev.CloseRoom()).silent().is_(State.ENDED)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (ev.LeftByResident(), EndReason.COMPLETED_BY_RESIDENT),
        (ev.HungUpByAgent(AGENT), EndReason.COMPLETED_BY_AGENT),
    ],
)
def test_either_side_may_hang_up(event: ev.AnyEvent, reason: EndReason) -> None:
    story = Playbook.begin().talking() >> event
    (story << ev.FreeAgent(AGENT) << ev.CloseRoom()).silent().is_(State.ENDED)
    assert story.call.end_reason is reason


def test_a_shared_form_is_seen_by_the_other_and_its_end_too() -> None:
    story = Playbook.begin().talking() >> ev.ShareSet(SEAT, on=True)
    assert kinds(story) == [JournalKind.SHARE_STARTED]
    assert slots(story.call)[RESIDENT][Mid.SHARE] == TrackRef(SEAT, Source.SHARE)
    assert Mid.SHARE not in slots(story.call)[SEAT]
    first = story.call.revision
    story >> ev.ShareSet(SEAT, on=False)
    assert kinds(story) == [JournalKind.SHARE_STOPPED]
    assert Mid.SHARE not in slots(story.call)[RESIDENT]
    assert story.call.revision > first


VP8, VP9, AV1, H264 = VideoCodec.VP8, VideoCodec.VP9, VideoCodec.AV1, VideoCodec.H264


def test_a_screen_is_shared_in_what_all_the_others_take() -> None:
    story = Playbook.begin().ringing().accepted()
    assert share_codecs(story.call, SEAT) == (VP8,), "nothing is known of the resident yet"
    story >> ev.LegUp(RESIDENT, 1, (VP8, H264, VP9, AV1)) >> ev.LegUp(SEAT, 1, (VP8, VP9))
    assert share_codecs(story.call, SEAT) == (AV1, VP9, VP8)
    assert share_codecs(story.call, RESIDENT) == (VP9, VP8)
    story >> ev.RejoinAsked(RESIDENT, 1)
    assert share_codecs(story.call, SEAT) == (AV1, VP9, VP8), "until it is another browser that comes"
    story >> ev.LegUp(RESIDENT, 2, (VP8,))
    assert share_codecs(story.call, SEAT) == (VP8,)
    assert share_codecs(replace(story.call, seats=story.call.seats[1:]), SEAT) == (VP8,), "nobody looks on"


def test_what_is_switched_off_is_known_of_the_seat_and_outlives_its_connection() -> None:
    story = Playbook.begin().talking() >> ev.DevicesSet(SEAT, mic=False, camera=True)
    assert kinds(story) == []
    said = story.silent().call
    assert [(s.participant, s.mic, s.camera) for s in said.seats] == [
        (RESIDENT, True, True),
        (SEAT, False, True),
    ]
    assert (story >> ev.DevicesSet(SEAT, mic=False, camera=True)).call == said  # nothing new
    story >> ev.RejoinAsked(SEAT, 1)
    assert [s.mic for s in story.call.seats] == [True, False]


def test_only_who_sits_in_a_call_has_devices_and_only_while_it_lasts() -> None:
    story = Playbook.begin()
    with pytest.raises(InvalidTransition):
        story >> ev.DevicesSet(SEAT, mic=False, camera=False)
    over = story.talking() >> ev.HungUpByAgent(AGENT)
    assert (over >> ev.DevicesSet(SEAT, mic=False, camera=False)).call.seats[1].mic


def test_a_reloaded_page_gets_a_new_connection_and_late_word_of_the_old_one_is_dropped() -> None:
    story = Playbook.begin().talking() >> ev.RejoinAsked(SEAT, 1)
    (story << ev.Join(SEAT, ParticipantRole.AGENT, 2)).silent()
    story >> ev.LegDown(SEAT, 1, "closed")
    story.silent().is_(State.ACTIVE)
    story >> ev.Offered(SEAT, 2, "o2") >> ev.Answered(SEAT, 2, "a2")
    story << ev.PassAnswer(SEAT, 2, "a2")


def restart_of(story: Playbook, who: ParticipantId = SEAT) -> tuple[int, int, str | None]:
    seat = next(s for s in story.call.seats if s.participant == who)
    return seat.restart, seat.offered_restart, seat.offer


def test_a_connection_on_a_new_network_is_kept_and_offered_anew() -> None:
    story = Playbook.begin().talking() >> ev.RestartAsked(SEAT, 1)
    (story << ev.RestartIce(SEAT, 1, 1)).silent().is_(State.ACTIVE)
    assert restart_of(story) == (1, 0, "o")
    story >> ev.Offered(SEAT, 1, "o")  # told again: the older one
    assert restart_of(story) == (1, 0, "o")
    story >> ev.Offered(SEAT, 1, "o1", restart=1)
    assert restart_of(story) == (1, 1, "o1")
    story >> ev.Answered(SEAT, 1, "a1", restart=1)
    story << ev.PassAnswer(SEAT, 1, "a1", restart=1)
    assert [s.connected for s in story.call.seats] == [True, True]


def test_restarts_are_bounded_in_time_and_counted_anew_by_the_next_connection() -> None:
    story = Playbook.begin().talking() >> ev.RestartAsked(SEAT, 1)
    story.at(NOW + 1.9) >> ev.RestartAsked(SEAT, 1)
    story.silent()
    story.at(NOW + 2) >> ev.RestartAsked(SEAT, 1)
    (story << ev.RestartIce(SEAT, 1, 2)).silent()
    story >> ev.Offered(SEAT, 1, "o1", restart=1)  # that of the first, late
    assert restart_of(story) == (2, 0, "o")
    story >> ev.Offered(SEAT, 1, "o2", restart=2) >> ev.Answered(SEAT, 1, "a1", restart=1)
    story.silent()
    with pytest.raises(InvalidTransition):
        story >> ev.Answered(SEAT, 1, "a3", restart=3)
    story >> ev.RejoinAsked(SEAT, 1)
    assert restart_of(story) == (0, 0, None)


def test_a_connection_that_is_over_is_made_again_instead_of_restarted() -> None:
    story = Playbook.begin().talking() >> ev.LegDown(SEAT, 1, "silent") >> ev.RestartAsked(SEAT, 1)
    (story << ev.Join(SEAT, ParticipantRole.AGENT, 2)).silent()
    story >> ev.RestartAsked(SEAT, 1)
    story.silent()


def test_what_was_never_answered_is_not_restarted() -> None:
    story = Playbook.begin() >> ev.Offered(RESIDENT, 1, "o")
    for event in (ev.RestartAsked(RESIDENT, 1), ev.RestartAsked(RESIDENT, 2), ev.RestartAsked(SEAT, 1)):
        with pytest.raises(InvalidTransition):
            story >> event


def test_nobody_is_rung_for_a_call_that_no_node_can_carry() -> None:
    story = Playbook.begin() >> ev.NodeGone(NODE, None)
    (story << ev.Withdraw(DemandId(CALL))).silent().is_(State.QUEUED)
    story >> ev.Reserved(reservation())
    (story << ev.GiveBack(reservation(), Release.WITHDRAWN)).silent().is_(State.QUEUED)
    assert not is_still_meant(story.call, ev.Enqueue(story.call.demand))
    story >> ev.NodeGone(NODE, NodeId("node-b"))
    (
        story
        << ev.OpenRoom()
        << ev.Join(RESIDENT, ParticipantRole.RESIDENT, 2)
        << ev.Enqueue(story.call.demand)
    )
    assert not is_still_meant(story.call, ev.Withdraw(DemandId(CALL)))
    story.ringing().is_(State.OFFERED)


def test_a_ring_ends_when_its_call_cannot_be_carried_and_counts_for_nothing() -> None:
    story = Playbook.begin().ringing() >> ev.NodeGone(NODE, None)
    (story << ev.GiveBack(reservation(), Release.WITHDRAWN) << ev.Leave(SEAT)).silent().is_(State.QUEUED)
    assert due(story.call) == NOW + 60, "who waits has time"
    assert kinds(story) == []


def test_word_of_a_connections_end_may_overtake_word_of_its_beginning() -> None:
    story = Playbook.begin() >> ev.Offered(RESIDENT, 1, "o") >> ev.Answered(RESIDENT, 1, "a")
    story >> ev.LegDown(RESIDENT, 1, "closed") >> ev.LegUp(RESIDENT, 1)
    seat = seat_with(story.call, ParticipantRole.RESIDENT)
    assert seat is not None
    assert not seat.connected
    story >> ev.RejoinAsked(RESIDENT, 1) >> ev.LegUp(RESIDENT, 2)
    seat = seat_with(story.call, ParticipantRole.RESIDENT)
    assert seat is not None
    assert seat.connected


def test_an_answer_without_an_offer_is_refused() -> None:
    with pytest.raises(InvalidTransition):
        Playbook.begin() >> ev.Answered(RESIDENT, 1, "a")


def test_a_refused_answer_may_be_given_again() -> None:
    story = Playbook.begin() >> ev.Offered(RESIDENT, 1, "o") >> ev.Answered(RESIDENT, 1, "bad")
    story >> ev.AnswerRefused(RESIDENT, 1, "no fingerprint")
    seat = seat_with(story.call, ParticipantRole.RESIDENT)
    assert seat is not None
    assert seat.refused == "no fingerprint"
    (story >> ev.Answered(RESIDENT, 1, "good")) << ev.PassAnswer(RESIDENT, 1, "good")


def test_a_resident_who_is_away_too_long_ends_the_call() -> None:
    story = Playbook.begin().talking() >> ev.WentAway(RESIDENT)
    assert kinds(story) == [JournalKind.AWAY]
    assert due(story.call) == NOW + 30
    story.at(NOW + 30) >> ev.DeadlinePassed()
    story.is_(State.ENDED)
    assert story.call.end_reason is EndReason.RESIDENT_LOST


def test_a_resident_who_comes_back_in_time_goes_on() -> None:
    story = Playbook.begin().talking() >> ev.WentAway(RESIDENT)
    story.at(NOW + 29) >> ev.CameBack(RESIDENT)
    assert kinds(story) == [JournalKind.BACK]
    story.at(NOW + 60) >> ev.DeadlinePassed()
    story.silent().is_(State.ACTIVE)


def test_an_agent_who_vanishes_while_it_rings_does_not_hold_the_call_up() -> None:
    story = Playbook.begin().ringing() >> ev.WentAway(SEAT)
    story.at(NOW + 5) >> ev.DeadlinePassed()
    (story << ev.GiveBack(reservation(), Release.LOST, AGENT)).is_(State.QUEUED)


def test_a_connection_that_is_never_made_ends_by_name() -> None:
    story = Playbook.begin().ringing().accepted().at(NOW + 15) >> ev.DeadlinePassed()
    assert story.call.end_reason is EndReason.CONNECT_FAILED


def test_a_dead_node_moves_the_call_and_every_connection_is_made_again() -> None:
    story = Playbook.begin().talking() >> ev.NodeGone(NODE, NodeId("node-b"))
    story << ev.OpenRoom() << ev.Join(RESIDENT, ParticipantRole.RESIDENT, 2)
    (story << ev.Join(SEAT, ParticipantRole.AGENT, 2) << ev.SetSlots << ev.Record).silent().is_(State.ACTIVE)
    assert story.call.node == "node-b"


def test_without_another_node_the_call_waits_and_then_ends_by_name() -> None:
    story = Playbook.begin().talking() >> ev.NodeGone(NODE, None)
    assert due(story.call) == NOW + 15
    story.at(NOW + 15) >> ev.DeadlinePassed()
    assert story.call.end_reason is EndReason.MEDIA_LOST


def test_only_the_agent_who_answered_says_what_came_of_it() -> None:
    story = (
        Playbook.begin().talking() >> ev.HungUpByAgent(AGENT) >> ev.OutcomeSet(AGENT, Outcome.RESOLVED, "好")
    )
    assert kinds(story) == [JournalKind.WRAPPED_UP]
    with pytest.raises(InvalidTransition):
        story >> ev.OutcomeSet(OTHER, Outcome.OTHER, "")


def test_a_call_is_rated_once_and_only_when_somebody_answered() -> None:
    story = Playbook.begin().talking() >> ev.LeftByResident() >> ev.Rated(1, (RatingReason.ATTITUDE,))
    assert story.call.stars == 1
    with pytest.raises(InvalidTransition):
        story >> ev.Rated(5, ())
    with pytest.raises(InvalidTransition):
        Playbook.begin() >> ev.LeftByResident() >> ev.Rated(5, ())


def test_an_ended_call_is_forgotten_when_it_has_served() -> None:
    story = Playbook.begin() >> ev.LeftByResident()
    assert due(story.call) == NOW + 300
    (story.at(NOW + 300) >> ev.DeadlinePassed()) << ev.Forget()


def test_journal_entries_carry_the_time_and_the_same_key_however_often_they_are_carried_out() -> None:
    story = Playbook.begin().ringing()
    entry = next(c for c in story.commands if isinstance(c, ev.Journal))
    assert (entry.at, entry.kind) == (NOW, JournalKind.RING)
    assert entry.key == f"{story.call.revision}-0-ring"
