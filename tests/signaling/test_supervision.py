"""Stories of a supervisor: listens unseen, whispers to the owner, joins in, takes over."""

import pytest

from media.protocol import Mid, Source, TrackRef
from records.model import EndReason, JournalKind, Outcome, ParticipantId, ParticipantRole
from signaling import events as ev
from signaling.call import InvalidTransition
from signaling.snapshot import (
    RESIDENT,
    Joining,
    State,
    Supervision,
    is_full,
    recorded,
    seat_of,
    shows,
    slots,
)
from tests.signaling.playbook import (
    AGENT,
    BOSS,
    INTERPRETER,
    OTHER,
    SEAT,
    SECOND_SEAT,
    THIRD,
    Playbook,
    asks_for,
    kinds,
    sees,
)

BOSS_SEAT = ParticipantId("supervisor-2")
LISTEN, WHISPER, BARGE = Supervision.LISTEN, Supervision.WHISPER, Supervision.BARGE


def supervised(mode: Supervision) -> Playbook:
    story = Playbook.begin().talking() >> ev.Supervised(BOSS, mode)
    assert kinds(story) == [JournalKind.SUPERVISED]
    story << ev.Join(BOSS_SEAT, ParticipantRole.SUPERVISOR, 1) << ev.SetSlots
    return story


def refused(story: Playbook, *events: ev.AnyEvent) -> None:
    before = story.call
    for event in events:
        with pytest.raises(InvalidTransition):
            story >> event
    assert story.call == before


def test_who_listens_sees_both_and_is_seen_by_nobody() -> None:
    story = supervised(LISTEN)
    assert sees(story.call) == {RESIDENT: {SEAT}, SEAT: {RESIDENT}, BOSS_SEAT: {RESIDENT, SEAT}}
    assert recorded(story.silent().call) == (RESIDENT, SEAT)


def test_a_whisper_is_heard_by_the_owner_alone_and_seen_by_nobody() -> None:
    story = Playbook.begin().talking().joined() >> ev.Supervised(BOSS, WHISPER)
    boss = ParticipantId("supervisor-3")
    story << ev.Join << ev.SetSlots << ev.Record((RESIDENT, SEAT, SECOND_SEAT, boss))
    whisper = TrackRef(boss, Source.MIC)
    mapping = [(viewer, mid, t) for viewer, seen in slots(story.call).items() for mid, t in seen.items()]
    assert [(viewer, mid) for viewer, mid, t in mapping if t == whisper] == [(SEAT, Mid.AUDIO_3)]
    assert sees(story.call)[RESIDENT] == {SEAT, SECOND_SEAT}
    assert Mid.VIDEO_3 not in slots(story.call)[SEAT]
    assert sees(story.call)[boss] == {RESIDENT, SEAT, SECOND_SEAT}


def test_a_whisper_follows_the_owner() -> None:
    story = Playbook.begin().talking().joined() >> ev.Supervised(BOSS, WHISPER)
    boss = ParticipantId("supervisor-3")
    story >> ev.HandedOver(AGENT, SECOND_SEAT)
    assert sees(story.call) == {
        RESIDENT: {SECOND_SEAT},
        SECOND_SEAT: {RESIDENT, boss},
        boss: {RESIDENT, SECOND_SEAT},
    }


def test_who_joins_in_is_like_anybody_else() -> None:
    story = supervised(BARGE)
    (story << ev.Record((RESIDENT, SEAT, BOSS_SEAT))).silent()
    assert all(len(seen) == 2 for seen in sees(story.call).values())


def test_the_mode_changes_on_the_same_connection() -> None:
    story = supervised(LISTEN) >> ev.Supervised(BOSS, WHISPER)
    assert kinds(story) == [JournalKind.SUPERVISED]
    (story << ev.SetSlots << ev.Record((RESIDENT, SEAT, BOSS_SEAT))).silent()
    assert kinds(story >> ev.Supervised(BOSS, WHISPER)) == []
    story >> ev.Supervised(BOSS, BARGE)
    (story << ev.SetSlots).silent()
    story >> ev.ShareSet(BOSS_SEAT, on=True) >> ev.Supervised(BOSS, LISTEN)
    assert kinds(story) == [JournalKind.SUPERVISED, JournalKind.SHARE_STOPPED]
    assert story.call.sharing is None
    refused(story, ev.ShareSet(BOSS_SEAT, on=True))


@pytest.mark.parametrize("mode", Supervision)
def test_a_hold_does_not_keep_the_supervisor_from_seeing_both_sides(mode: Supervision) -> None:
    story = supervised(mode) >> ev.HoldSet(AGENT, on=True)
    assert sees(story.call)[BOSS_SEAT] == {RESIDENT, SEAT}
    assert sees(story.call)[RESIDENT] == set()


def test_one_supervisor_at_a_time_and_only_while_people_talk() -> None:
    refused(supervised(LISTEN), *(ev.Supervised(THIRD, mode) for mode in Supervision))
    refused(supervised(LISTEN), ev.SupervisionEnded(THIRD), ev.TakenOver(THIRD))
    refused(Playbook.begin().ringing(), ev.Supervised(BOSS, LISTEN))
    refused(Playbook.begin().talking(), ev.SupervisionEnded(BOSS), ev.TakenOver(BOSS))
    refused(Playbook.begin().talking(), ev.Supervised(AGENT, LISTEN))
    refused(Playbook.begin().talking().asked().rung_for_ask(), ev.Supervised(OTHER, LISTEN))


def test_a_supervisor_counts_among_the_four() -> None:
    story = supervised(LISTEN).joined(number=3)
    assert is_full(story.call)
    refused(story, asks_for(Joining.JOIN))
    full = Playbook.begin().talking().joined().asked()
    refused(full, ev.Supervised(BOSS, LISTEN))


@pytest.mark.parametrize("how", [ev.SupervisionEnded(BOSS), ev.HungUpByAgent(BOSS)])
def test_a_supervisor_goes_as_it_came_and_nobody_is_let_go(how: ev.AnyEvent) -> None:
    story = supervised(LISTEN) >> how
    assert kinds(story) == [JournalKind.UNSUPERVISED]
    (story << ev.Leave(BOSS_SEAT) << ev.SetSlots).silent().is_(State.ACTIVE)
    assert story.call.former == ()


def test_a_supervisor_who_is_lost_leaves() -> None:
    story = supervised(LISTEN) >> ev.WentAway(BOSS_SEAT)
    story.at(story.now + 30) >> ev.DeadlinePassed()
    assert kinds(story) == [JournalKind.UNSUPERVISED]
    story.is_(State.ACTIVE)


def test_taking_over_makes_the_supervisor_the_owner_and_the_agent_leaves() -> None:
    story = supervised(WHISPER) >> ev.HoldSet(AGENT, on=True) >> ev.TakenOver(BOSS)
    assert kinds(story) == [JournalKind.HANDED_OVER, JournalKind.RESUMED, JournalKind.LEFT]
    story << ev.Leave(SEAT) << ev.FreeAgent(AGENT) << ev.SetSlots << ev.Record((RESIDENT, BOSS_SEAT))
    seat = seat_of(story.silent().is_(State.ACTIVE).call, BOSS_SEAT)
    assert seat is not None
    assert (seat.role, seat.supervision, story.call.agent) == (ParticipantRole.SUPERVISOR, None, BOSS)
    assert sees(story.call) == {RESIDENT: {BOSS_SEAT}, BOSS_SEAT: {RESIDENT}}
    refused(story, ev.SupervisionEnded(BOSS), ev.Supervised(BOSS, LISTEN))
    story >> ev.HungUpByAgent(BOSS)
    (story << ev.CloseRoom()).silent().is_(State.ENDED)
    assert story.call.end_reason is EndReason.COMPLETED_BY_AGENT
    assert kinds(story >> ev.OutcomeSet(BOSS, Outcome.RESOLVED, "")) == [JournalKind.WRAPPED_UP]


def test_who_took_over_may_hand_the_call_on() -> None:
    story = supervised(LISTEN) >> ev.TakenOver(BOSS) >> asks_for(Joining.TRANSFER, by=BOSS)
    (story << ev.Leave(BOSS_SEAT) << ev.Enqueue << ev.SetSlots << ev.Record((RESIDENT,))).silent()
    story.is_(State.QUEUED)


def test_the_agent_cannot_send_the_supervisor_away() -> None:
    refused(supervised(BARGE), ev.SentAway(AGENT, BOSS_SEAT), ev.HandedOver(AGENT, BOSS_SEAT))


def test_who_is_only_rung_is_seen_by_no_supervisor() -> None:
    call = supervised(LISTEN).asked(party=INTERPRETER).rung_for_ask(number=3).call
    boss, rung = seat_of(call, BOSS_SEAT), seat_of(call, ParticipantId("interpreter-3"))
    assert boss is not None
    assert rung is not None
    assert shows(call, boss, rung) == shows(call, rung, boss) == (False, False)
