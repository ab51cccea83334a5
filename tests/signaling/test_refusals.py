"""Every request at every wrong moment: a named error, and what Redis holds is the same byte for byte."""

from collections.abc import Awaitable, Callable
from types import UnionType
from typing import Any, get_args

import msgspec
import pytest
from redis.asyncio import Redis

from records.model import CallId, ParticipantId
from signaling import messages as m
from signaling.errors import SENTENCES
from signaling.messages import ErrorCode
from signaling.snapshot import RESIDENT
from tests.signaling.world import ELSEWHERE, ITEM, SECOND, Peer, World

SEAT = ParticipantId("agent-1")
SDP = "v=0"
CALL = CallId("c1")  # the first call of every world


async def truth(redis: Redis) -> dict[Any, Any]:
    return {key: await redis.dump(key) for key in await redis.keys("*")}


# --- the moments -----------------------------------------------------------------------------------------


async def nothing_yet(world: World) -> tuple[Peer, Peer]:
    return await world.station().arrives(), await world.agent_on_duty()


async def waiting(world: World) -> tuple[Peer, Peer]:
    """A call waits, and the agent on duty has not been rung yet."""
    station, agent = await nothing_yet(world)
    assert await station.asks("call", item=ITEM, consent=True) is None
    return station, agent


async def ringing(world: World) -> tuple[Peer, Peer]:
    station, agent = await waiting(world)
    await world.dispatch()
    await world.offered(CALL, RESIDENT)
    await world.offered(CALL, SEAT)
    return station, agent


async def declined(world: World) -> tuple[Peer, Peer]:
    station, agent = await ringing(world)
    ring = (await agent.sees()).ring
    assert await agent.asks("decline", call=CALL, reservation=ring.reservation) is None
    return station, agent


async def talking(world: World) -> tuple[Peer, Peer]:
    talk = await world.talking()
    return talk.station, talk.agent


async def over(world: World) -> tuple[Peer, Peer]:
    """The resident rated, the agent is in wrap-up and has said nothing yet."""
    station, agent = await talking(world)
    await station.asks("hang_up", call=CALL)
    await station.asks("rate", call=CALL, stars=5)
    return station, agent


async def cancelled(world: World) -> tuple[Peer, Peer]:
    station, agent = await waiting(world)
    await station.asks("cancel", call=CALL)
    return station, agent


Moment = Callable[[World], Awaitable[tuple[Peer, Peer]]]
Row = tuple[str, Moment, str, dict[str, Any], ErrorCode]

OUT_OF_ORDER, UNKNOWN_CALL, NOT_OFFERED = (
    ErrorCode.OUT_OF_ORDER,
    ErrorCode.UNKNOWN_CALL,
    ErrorCode.NOT_OFFERED,
)
NOT_OWNER, UNKNOWN_TARGET = ErrorCode.NOT_OWNER, ErrorCode.UNKNOWN_TARGET
MALFORMED, TOO_LARGE = ErrorCode.MALFORMED, ErrorCode.TOO_LARGE
ANSWER = {"call": CALL, "generation": 1, "sdp": SDP}
DEVICES = {"call": CALL, "mic": True, "camera": False}
ACCEPT = {"call": CALL, "reservation": "r-stale"}

COMPANY: dict[str, dict[str, Any]] = {
    "ask_for": {"kind": "consult", "queue": "taxes"},
    "drop_ask": {},
    "hold": {"on": True},
    "hand_over": {"participant": "agent-2"},
    "send_away": {"participant": "agent-2"},
}

ROWS: list[Row] = [
    ("station", nothing_yet, "call", {"item": "nothing", "consent": True}, ErrorCode.UNKNOWN_ITEM),
    ("station", nothing_yet, "call", {"item": ELSEWHERE, "consent": True}, ErrorCode.NOT_EMPOWERED),
    ("station", nothing_yet, "call", {"item": ITEM, "consent": False}, ErrorCode.CONSENT_MISSING),
    *[
        ("station", at, "call", {"item": ITEM, "consent": True}, ErrorCode.BUSY)
        for at in (waiting, ringing, talking)
    ],
    *[
        ("station", nothing_yet, kind, {"call": CALL}, UNKNOWN_CALL)
        for kind in ("cancel", "hang_up", "dismiss")
    ],
    ("station", nothing_yet, "rate", {"call": CALL, "stars": 5}, UNKNOWN_CALL),
    ("station", nothing_yet, "answer", ANSWER, UNKNOWN_CALL),
    ("station", nothing_yet, "rejoin", {"call": CALL, "generation": 1}, UNKNOWN_CALL),
    ("station", nothing_yet, "restart_ice", {"call": CALL, "generation": 1}, UNKNOWN_CALL),
    *[
        (
            "station",
            at,
            "restart_ice",
            {"call": CALL, "generation": 1},
            OUT_OF_ORDER,
        )  # nothing to restart yet
        for at in (waiting, ringing)
    ],
    ("station", talking, "restart_ice", {"call": CALL, "generation": 2}, OUT_OF_ORDER),
    ("station", talking, "answer", {**ANSWER, "restart": 1}, OUT_OF_ORDER),
    ("station", nothing_yet, "devices", DEVICES, UNKNOWN_CALL),
    ("station", waiting, "answer", ANSWER, OUT_OF_ORDER),  # nothing was offered yet
    ("station", ringing, "answer", {**ANSWER, "generation": 2}, OUT_OF_ORDER),
    ("station", waiting, "rejoin", {"call": CALL, "generation": 2}, OUT_OF_ORDER),
    *[
        ("station", at, "rate", {"call": CALL, "stars": 5}, OUT_OF_ORDER)
        for at in (waiting, ringing, talking)
    ],
    ("station", cancelled, "rate", {"call": CALL, "stars": 5}, OUT_OF_ORDER),  # nobody answered
    ("station", over, "rate", {"call": CALL, "stars": 1}, ErrorCode.ALREADY_RATED),
    *[("station", at, "dismiss", {"call": CALL}, OUT_OF_ORDER) for at in (waiting, ringing, talking)],
    # --- the agent
    ("agent", nothing_yet, "set_presence", {"presence": "paused"}, MALFORMED),
    ("agent", nothing_yet, "set_presence", {"presence": "paused", "reason": "missed_calls"}, MALFORMED),
    *[
        ("agent", at, kind, ACCEPT, NOT_OFFERED)
        for at in (nothing_yet, waiting, ringing, declined, talking, over, cancelled)
        for kind in ("accept", "decline")
    ],
    *[
        ("agent", at, kind, {"call": CALL, **rest}, UNKNOWN_CALL)
        for at in (nothing_yet, waiting, declined, cancelled)
        for kind, rest in (
            ("hang_up", {}),
            ("share", {"on": True}),
            ("add_note", {"text": "x"}),
            ("wrap_up", {"outcome": "other"}),
            ("ready", {}),
            ("answer", {"generation": 1, "sdp": SDP}),
            ("rejoin", {"generation": 1}),
            ("restart_ice", {"generation": 1}),
            ("devices", {"mic": True, "camera": False}),
        )
    ],
    ("station", nothing_yet, "ask_slots", {"item": "nothing"}, ErrorCode.UNKNOWN_ITEM),
    ("station", nothing_yet, "ask_slots", {"item": ELSEWHERE}, ErrorCode.NOT_EMPOWERED),
    ("station", nothing_yet, "book", {"item": "nothing", "at": 1}, ErrorCode.UNKNOWN_ITEM),
    ("station", nothing_yet, "book", {"item": ITEM, "at": 1}, ErrorCode.SLOT_TAKEN),
    (
        "station",
        nothing_yet,
        "call",
        {"item": ITEM, "consent": True, "appointment": "123456"},
        ErrorCode.UNKNOWN_CODE,
    ),
    *[
        ("agent", at, kind, {"call": CALL, **rest}, code)
        for at, code in ((nothing_yet, UNKNOWN_CALL), (waiting, UNKNOWN_CALL), (ringing, OUT_OF_ORDER))
        for kind, rest in COMPANY.items()
    ],
    ("agent", talking, "ask_for", {"call": CALL, "kind": "join"}, MALFORMED),  # nobody
    ("agent", talking, "ask_for", {"call": CALL, "kind": "join", "queue": "nowhere"}, UNKNOWN_TARGET),
    ("agent", talking, "ask_for", {"call": CALL, "kind": "join", "agent": "lin"}, UNKNOWN_TARGET),
    ("agent", talking, "hand_over", {"call": CALL, "participant": RESIDENT}, UNKNOWN_TARGET),
    ("agent", talking, "send_away", {"call": CALL, "participant": SEAT}, UNKNOWN_TARGET),
    ("agent", nothing_yet, "extend_wrap_up", {"call": CALL}, UNKNOWN_CALL),
    ("agent", talking, "extend_wrap_up", {"call": CALL}, OUT_OF_ORDER),
    ("agent", ringing, "hang_up", {"call": CALL}, OUT_OF_ORDER),
    ("agent", ringing, "share", {"call": CALL, "on": True}, OUT_OF_ORDER),
    ("agent", ringing, "add_note", {"call": CALL, "text": "x"}, OUT_OF_ORDER),
    *[
        ("agent", at, "wrap_up", {"call": CALL, "outcome": "other"}, OUT_OF_ORDER)
        for at in (ringing, talking)
    ],
    *[("agent", at, "ready", {"call": CALL}, OUT_OF_ORDER) for at in (ringing, talking, over)],
    ("agent", ringing, "answer", {**ANSWER, "generation": 2}, OUT_OF_ORDER),
    ("agent", ringing, "rejoin", {"call": CALL, "generation": 9}, OUT_OF_ORDER),
    ("agent", ringing, "restart_ice", {"call": CALL, "generation": 1}, OUT_OF_ORDER),
    ("agent", talking, "restart_ice", {"call": CALL, "generation": 9}, OUT_OF_ORDER),
]


@pytest.mark.parametrize(
    ("role", "moment", "type", "fields", "code"),
    ROWS,
    ids=[f"{role} {kind} {at.__name__} {n}" for n, (role, at, kind, _, _) in enumerate(ROWS)],
)
async def test_at_the_wrong_moment(
    redis_world: World,
    redis: Redis,
    role: str,
    moment: Moment,
    type: str,
    fields: dict[str, Any],
    code: ErrorCode,
) -> None:
    station, agent = await moment(redis_world)
    before, sent = await truth(redis), len(redis_world.racks.sent)
    assert await {"station": station, "agent": agent}[role].asks(type, **fields) is code
    assert await truth(redis) == before
    assert len(redis_world.racks.sent) == sent


def requests(union: UnionType) -> dict[str, type]:
    kinds = (kind for kind in get_args(union) if issubclass(kind, m.Request))
    return {kind.__struct_config__.tag: kind for kind in kinds}


EXAMPLES: dict[str, dict[str, Any]] = {
    "call": {"item": ITEM, "consent": True},
    "answer": ANSWER,
    "rejoin": {"call": CALL, "generation": 1},
    "restart_ice": {"call": CALL, "generation": 1},
    "devices": DEVICES,
    "rate": {"call": CALL, "stars": 5},
    "set_presence": {"presence": "available"},
    "accept": ACCEPT,
    "decline": ACCEPT,
    "share": {"call": CALL, "on": True},
    "add_note": {"call": CALL, "text": "x"},
    "wrap_up": {"call": CALL, "outcome": "other"},
    "ask_slots": {"item": ITEM},
    "book": {"item": ITEM, "at": 1},
    **{kind: {"call": CALL, **rest} for kind, rest in COMPANY.items()},
}
STATION, AGENT = requests(m.StationIn), requests(m.AgentIn)
EVERY = [("station", kind) for kind in STATION] + [("agent", kind) for kind in AGENT]


def test_every_request_is_tried_at_a_wrong_moment() -> None:
    # A presence may be declared at any moment; a call is left at any moment while it is there.
    assert {(role, kind) for role, _, kind, _, _ in ROWS} == set(EVERY)


@pytest.mark.parametrize(("role", "kind"), EVERY)
async def test_what_is_written_wrongly(redis_world: World, redis: Redis, role: str, kind: str) -> None:
    """Each field of the wrong type or missing, one too many, too large, and in the other role's mouth."""
    station, agent = await talking(redis_world)
    peer = {"station": station, "agent": agent}[role]
    right = {"type": kind, "ref": 900, **EXAMPLES.get(kind, {"call": CALL})}
    before = await truth(redis)
    wrong = [right | {name: {"not": "this"}} for name in right if name not in ("type", "ref")]
    wrong += [{n: v for n, v in right.items() if n != name} for name in right if name not in ("type", "ref")]
    wrong += [right | {"extra": 1}]
    for n, fields in enumerate(wrong):
        redis_world.clock.now += 20
        frame = msgspec.json.encode(fields | {"ref": 901 + n})
        assert await peer.says_raw(frame, 901 + n) is MALFORMED, fields
    frame = msgspec.json.encode(right | {"ref": 950, "extra": "x" * m.MAX_FRAME})
    assert await peer.says_raw(frame, 950) is TOO_LARGE
    foreign = sorted(
        (STATION if role == "agent" else AGENT).keys() - (AGENT if role == "agent" else STATION).keys()
    )
    for n, kind in enumerate(foreign):
        redis_world.clock.now += 20
        frame = msgspec.json.encode({"type": kind, "ref": 960 + n, **EXAMPLES.get(kind, {"call": CALL})})
        assert await peer.says_raw(frame, 960 + n) is MALFORMED
    assert await truth(redis) == before


async def test_another_stations_call_is_as_good_as_none(redis_world: World, redis: Redis) -> None:
    await talking(redis_world)
    stranger = await redis_world.station(SECOND).arrives()
    before = await truth(redis)
    for kind in STATION.keys() - {"call", "ask_slots", "book"}:
        assert await stranger.asks(kind, **EXAMPLES.get(kind, {"call": CALL})) is UNKNOWN_CALL
    assert await truth(redis) == before


def test_every_error_has_its_sentence_in_both_languages() -> None:
    assert set(SENTENCES) == set(ErrorCode)
    assert all(text.zh and text.en for text in SENTENCES.values())
