"""The room's decisions, read as stories: an event in, effects out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.protocol import (
    Answer,
    CloseRoom,
    Join,
    Leave,
    Mid,
    OpenRoom,
    Record,
    RefusalReason,
    RoomId,
    SetSlots,
    Source,
    TrackRef,
)
from media.room import (
    EMPTY_S,
    MAX_PARTICIPANTS,
    AcceptAnswer,
    CloseLeg,
    Effect,
    Event,
    LegLost,
    OpenLeg,
    Refuse,
    Rerecord,
    Rewire,
    Room,
    SealRoom,
    Tick,
    open_room,
    shown,
    transition,
)
from records.model import ParticipantId, ParticipantRole

H, R = "hall", RoomId("call-1")
RESIDENT, AGENT = ParticipantId("resident"), ParticipantId("agent-7")


def join(who: ParticipantId = RESIDENT, generation: int = 1) -> Join:
    return Join(H, R, who, ParticipantRole.RESIDENT, generation)


def room(*events: Event, now: float = 0.0) -> Room:
    made = open_room(OpenRoom(H, R, "2026-11-23/call-1"), now)
    for event in events:
        made, _ = transition(made, event, now)
    return made


def effects(before: Room, event: Event, now: float = 0.0) -> tuple[Effect, ...]:
    return transition(before, event, now)[1]


def refused(found: tuple[Effect, ...]) -> RefusalReason:
    (refusal,) = found
    assert isinstance(refusal, Refuse)
    return refusal.reason


@pytest.mark.parametrize(
    "folder", ["", "/etc", "../x", "a//b", "a/../b", "a/.hidden", "a\\b", "a/b/c/d/e/f/g/h/i"]
)
def test_a_folder_cannot_lead_elsewhere(folder: str) -> None:
    with pytest.raises(ValueError, match="plain relative path"):
        open_room(OpenRoom(H, R, folder), 0.0)


def test_joining_makes_a_connection_and_once_more_tells_its_offer_again() -> None:
    assert effects(room(), join()) == (OpenLeg(RESIDENT, 1), Rewire(), Rerecord())
    assert effects(room(join()), join()) == (OpenLeg(RESIDENT, 1),)


def test_a_higher_generation_replaces_the_connection() -> None:
    assert effects(room(join()), join(generation=2)) == (
        CloseLeg(RESIDENT, 1),
        OpenLeg(RESIDENT, 2),
        Rewire(),
        Rerecord(),
    )


def test_an_older_generation_is_refused() -> None:
    assert refused(effects(room(join(generation=2)), join(generation=1))) is RefusalReason.STALE_GENERATION
    lost = room(join(generation=2), LegLost(RESIDENT, 2))
    assert refused(effects(lost, join(generation=2))) is RefusalReason.STALE_GENERATION


def test_a_fifth_participant_is_refused_but_may_return_after_one_left() -> None:
    names = [ParticipantId(f"p{n}") for n in range(MAX_PARTICIPANTS + 1)]
    full = room(*(join(name) for name in names[:-1]))
    assert refused(effects(full, join(names[-1]))) is RefusalReason.FULL
    after, _ = transition(full, Leave(H, R, names[0]), 0.0)
    assert effects(after, join(names[-1]))[0] == OpenLeg(names[-1], 1)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "x" * 65, "."])
def test_a_name_that_cannot_name_a_file_is_refused(name: str) -> None:
    assert refused(effects(room(), join(ParticipantId(name)))) is RefusalReason.NO_SUCH_PARTICIPANT


def test_answers_go_to_the_generation_they_were_made_for() -> None:
    here = room(join(generation=2))
    assert effects(here, Answer(H, R, RESIDENT, 2, "v=0")) == (AcceptAnswer(RESIDENT, 2, "v=0"),)
    assert refused(effects(here, Answer(H, R, RESIDENT, 1, "v=0"))) is RefusalReason.STALE_GENERATION
    assert refused(effects(here, Answer(H, R, AGENT, 1, "v=0"))) is RefusalReason.NO_SUCH_PARTICIPANT


def test_slots_apply_in_order_of_their_revision() -> None:
    slots = {RESIDENT: {Mid.CAMERA: TrackRef(AGENT, Source.CAMERA)}}
    here = room(join(), join(AGENT))
    after, found = transition(here, SetSlots(H, R, 3, slots), 0.0)
    assert found == (Rewire(),)
    assert effects(after, SetSlots(H, R, 3, {})) == ()
    assert effects(after, SetSlots(H, R, 2, {})) == ()
    assert shown(after, RESIDENT) == {Mid.CAMERA: TrackRef(AGENT, Source.CAMERA)}
    assert shown(after, AGENT) == {}


def test_sound_is_never_shown_as_picture_nor_somebody_who_is_not_there() -> None:
    slots = {
        RESIDENT: {
            Mid.CAMERA: TrackRef(AGENT, Source.MIC),
            Mid.MIC: TrackRef(AGENT, Source.CAMERA),
            Mid.SHARE: TrackRef(ParticipantId("ghost"), Source.SHARE),
            Mid.VIDEO_2: TrackRef(AGENT, Source.SHARE),
        }
    }
    here = room(join(), join(AGENT), SetSlots(H, R, 1, slots))
    assert shown(here, RESIDENT) == {Mid.VIDEO_2: TrackRef(AGENT, Source.SHARE)}


def test_slots_outlive_a_lost_connection() -> None:
    slots = {RESIDENT: {Mid.MIC: TrackRef(AGENT, Source.MIC)}}
    here = room(join(), join(AGENT), SetSlots(H, R, 1, slots), LegLost(AGENT, 1), join(AGENT, 2))
    assert shown(here, RESIDENT) == slots[RESIDENT]


def test_a_lost_connection_is_closed_once() -> None:
    here = room(join())
    after, found = transition(here, LegLost(RESIDENT, 1), 0.0)
    assert found == (CloseLeg(RESIDENT, 1), Rewire(), Rerecord())
    assert effects(after, LegLost(RESIDENT, 1)) == ()
    assert effects(room(join(generation=2)), LegLost(RESIDENT, 1)) == ()
    assert effects(after, Leave(H, R, RESIDENT)) == (Rewire(), Rerecord())


def test_recording_is_a_set() -> None:
    here = room(join())
    assert effects(here, Record(H, R, ())) == ()
    after, found = transition(here, Record(H, R, (RESIDENT, AGENT)), 0.0)
    assert found == (Rerecord(),)
    assert effects(after, Record(H, R, (AGENT, RESIDENT))) == ()
    assert effects(after, Record(H, R, ())) == (Rerecord(),)


def test_closing_ends_every_connection_and_swallows_what_comes_after() -> None:
    here = room(join(), join(AGENT), LegLost(AGENT, 1))
    after, found = transition(here, CloseRoom(H, R), 0.0)
    assert found == (CloseLeg(RESIDENT, 1), SealRoom())
    for event in (join(), CloseRoom(H, R), Leave(H, R, RESIDENT), Tick()):
        assert transition(after, event, 999.0) == (after, ())


def test_a_room_without_connections_is_closed_after_a_while() -> None:
    here = room(now=100.0)
    assert effects(here, Tick(), 100.0 + EMPTY_S - 1) == ()
    assert effects(here, Tick(), 100.0 + EMPTY_S) == (SealRoom(),)
    somebody = room(join(), now=100.0)
    assert effects(somebody, Tick(), 9999.0) == ()
    lost, _ = transition(somebody, LegLost(RESIDENT, 1), 200.0)
    assert effects(lost, Tick(), 200.0 + EMPTY_S) == (SealRoom(),)
    back, _ = transition(lost, join(generation=2), 210.0)
    assert effects(back, Tick(), 9999.0) == ()


def test_the_room_given_is_never_changed() -> None:
    here = room(join())
    copy = replace(here, participants=dict(here.participants))
    transition(here, join(AGENT), 0.0)
    transition(here, CloseRoom(H, R), 0.0)
    assert here == copy


_NAMES = st.sampled_from([RESIDENT, AGENT, *(ParticipantId(f"p{n}") for n in range(4))])
_EVENTS = st.one_of(
    st.builds(join, _NAMES, st.integers(1, 3)),
    st.builds(lambda who, g: Answer(H, R, who, g, "v=0"), _NAMES, st.integers(1, 3)),
    st.builds(lambda who: Leave(H, R, who), _NAMES),
    st.builds(LegLost, _NAMES, st.integers(1, 3)),
    st.builds(lambda who: Record(H, R, tuple(who)), st.lists(_NAMES, max_size=3)),
    st.builds(lambda n: SetSlots(H, R, n, {}), st.integers(0, 3)),
    st.just(Tick()),
)


@given(st.lists(_EVENTS, max_size=40))
def test_at_every_moment_the_connections_are_those_of_the_participants(events: list[Event]) -> None:
    """Opened minus closed is who is alive, one connection each, never more than four people."""
    here, now = room(), 0.0
    legs: dict[ParticipantId, int] = {}
    for event in events:
        now += 1.0
        here, found = transition(here, event, now)
        for effect in found:
            if isinstance(effect, OpenLeg):
                assert legs.setdefault(effect.participant, effect.generation) == effect.generation
            elif isinstance(effect, CloseLeg):
                assert legs.pop(effect.participant) == effect.generation
        assert legs == {who: p.generation for who, p in here.participants.items() if p.alive}
        assert len(here.participants) <= MAX_PARTICIPANTS
        assert (here.empty_since is None) == bool(legs)
