"""A whole hall to signal in: real desks, sessions, switchboard and timers over memory or a real Valkey.

The test moves the clock; the ledger and the media nodes remember what they were told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
from redis.asyncio import Redis

from agents.agent import Agent, Release, Reservation, ReservationId
from agents.availability import Availability, Rules
from agents.dispatcher import Dispatcher
from agents.memory import MemoryAvailability
from agents.plan import ItemRule, Plan, Queue, SiteRule
from agents.redis_store import RedisAvailability
from agents.waiting import Outlook
from media import protocol
from media.protocol import NodeId, NodeInfo, RoomId
from records.model import (
    Account,
    AccountId,
    AccountRole,
    Appointment,
    CallId,
    CallSummary,
    DepartmentId,
    HallId,
    Item,
    ItemId,
    JournalEntry,
    JournalKind,
    Part,
    ParticipantId,
    QueueId,
    RatingReason,
    SiteId,
    SkillId,
    StationId,
    Text,
    ZoneId,
)
from signaling import events as ev
from signaling import messages as m
from signaling.agent_desk import AgentDesk
from signaling.bus import GENERATION, QUEUE, LocalBus
from signaling.call import InvalidTransition
from signaling.calls import Calls, MemoryCalls
from signaling.hall import Hall
from signaling.holders import Holders, MemoryHolders, RedisHolders
from signaling.ice import Turn
from signaling.manager_desk import ManagerDesk
from signaling.ports import QueueFigures, StationCard, Taken
from signaling.redis_calls import RedisCalls
from signaling.rooms import Nodes
from signaling.session import Desk, Session
from signaling.snapshot import RESIDENT, Call, State, seat_of
from signaling.station_desk import StationDesk
from signaling.switchboard import Switchboard, UnknownCall
from signaling.timers import Timers
from signaling.views.duty import Duty, duty

HALL = "demo"
NOW = 1_000_000.0
LIN, WANG = AccountId("lin"), AccountId("wang")
CHEN = AccountId("chen")  # on duty now and then, so that calls are let in
ZHAO = AccountId("zhao")  # an expert of the tax department
BOSS = AccountId("boss")
FIRST, SECOND = StationId("s1"), StationId("s2")
ITEM, ELSEWHERE = ItemId("social-proof"), ItemId("land-search")
SKILL, TAXES, SHANGHAINESE = SkillId("employment"), SkillId("taxes"), SkillId("shanghainese")
OWN_QUEUE, OTHER_QUEUE = QueueId(SKILL), QueueId(TAXES)
LABOUR, TAX_OFFICE = DepartmentId("hrss"), DepartmentId("tax")
NODE_A, NODE_B = NodeId("node-a"), NodeId("node-b")

_outbound = {
    kind: msgspec.json.Decoder(union)
    for kind, union in {"station": m.StationOut, "agent": m.AgentOut, "manager": m.ManagerOut}.items()
}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class LedgerDown(Exception):
    """The database is away."""


@dataclass
class Books:
    """``signaling.ports.Ledger`` that remembers, and fails while ``down``."""

    down: bool = False
    entries: dict[tuple[CallId, str], JournalEntry] = field(default_factory=dict)
    summaries: dict[CallId, CallSummary] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    ratings: dict[CallId, tuple[int, tuple[RatingReason, ...]]] = field(default_factory=dict)
    complete: list[CallId] = field(default_factory=list)

    async def write(self, entries: Sequence[JournalEntry], summary: CallSummary) -> None:
        self._check()
        for entry in entries:
            self.entries.setdefault((entry.call, entry.key), entry)
        self.summaries[summary.id] = summary

    async def part_opened(self, part: Part) -> None:
        self._check()
        self.parts.append(part)

    async def part_sealed(self, part: Part) -> None:
        self._check()
        self.parts.append(part)

    async def rate(self, call: CallId, stars: int, reasons: Sequence[RatingReason], at: float) -> bool:
        self._check()
        if call not in self.summaries or call in self.ratings:
            return False
        self.ratings[call] = (stars, tuple(reasons))
        return True

    async def recording_complete(self, call: CallId) -> None:
        self._check()
        self.complete.append(call)

    def kinds(self, call: CallId) -> list[JournalKind]:
        return [entry.kind for entry in self.entries.values() if entry.call == call]

    def _check(self) -> None:
        if self.down:
            raise LedgerDown


def node(
    name: NodeId,
    rooms: int = 0,
    capacity: int = 40,
    *,
    draining: bool = False,
    cpu: float = 0.0,
    full: str | None = None,
) -> NodeInfo:
    return NodeInfo(name, 1, ("127.0.0.1",), rooms, capacity, draining, NOW, cpu=cpu, full=full)


@dataclass
class Racks:
    """``signaling.rooms.Nodes`` that remembers what was sent where."""

    nodes: list[NodeInfo] = field(default_factory=lambda: [node(NODE_A)])
    sent: list[tuple[NodeId, protocol.AnyCommand]] = field(default_factory=list)

    async def alive(self) -> tuple[NodeInfo, ...]:
        return tuple(self.nodes)

    async def send(self, node: NodeId, command: protocol.AnyCommand) -> None:
        self.sent.append((node, command))

    def told(self, kind: type, to: NodeId | None = None) -> list[Any]:
        return [command for name, command in self.sent if isinstance(command, kind) and to in (None, name)]


def item(id: ItemId) -> Item:
    words = Text(f"事项 {id}", f"Item {id}")
    return Item(
        id, ZoneId("employment"), DepartmentId("hrss"), words, words, words, words, (), (), skill=SKILL
    )


PLAN = Plan(
    timezone="Asia/Shanghai",
    queues={
        OWN_QUEUE: Queue(OWN_QUEUE, Text("就业", "Employment")),
        OTHER_QUEUE: Queue(OTHER_QUEUE, Text("税务", "Taxes")),
    },
    items={
        ITEM: ItemRule(OWN_QUEUE, {SKILL: 1}, DepartmentId("hrss"), frozenset({SiteId("hall")})),
        ItemId("tax-paid"): ItemRule(OTHER_QUEUE, {TAXES: 2}, TAX_OFFICE, frozenset({SiteId("hall")})),
    },
    sites={
        SiteId("town"): SiteRule(SiteId("town"), SiteId("hall")),
        SiteId("hall"): SiteRule(None, SiteId("hall")),
    },
)


class Names:
    """``signaling.ports.Directory``: two stations; the town may handle one of the two items."""

    def __init__(self) -> None:
        self.items = {id: item(id) for id in (ITEM, ELSEWHERE)}
        self.cards = {
            id: StationCard(id, Text(f"终端 {id}", f"Station {id}"), SiteId("town"), Text("望湖镇", "Wanghu"))
            for id in (FIRST, SECOND)
        }

    def item(self, item: ItemId) -> Item | None:
        return self.items.get(item)

    def serves(self, site: SiteId, item: ItemId) -> bool:
        return item == ITEM

    def station(self, station: StationId) -> StationCard | None:
        return self.cards.get(station)

    def stations(self) -> tuple[StationCard, ...]:
        return tuple(self.cards.values())

    def agent(self, account: AccountId) -> m.AgentCard | None:
        return m.AgentCard(Text(f"坐席 {account}", f"Agent {account}"), Text("人社局", "HRSS"), "0317")

    def skill(self, skill: SkillId) -> Text:
        return Text(skill, skill)

    def department(self, department: DepartmentId) -> Text:
        return Text(department, department)

    def interpreting(self) -> Sequence[SkillId]:
        return (SHANGHAINESE,)


@dataclass
class Figures:
    """``signaling.ports.Statistics``."""

    talks: Sequence[float] = (60.0, 60.0, 60.0)

    def recent_talks(self, queue: QueueId) -> Sequence[float]:
        return self.talks

    def of_queue(self, queue: QueueId) -> QueueFigures:
        return QueueFigures(4, 3, 1, 2)

    def today(self) -> m.DayFigures:
        return m.DayFigures(0, 0, 0, 0, 30, None, None, None)


@dataclass
class Slots:
    """``signaling.ports.Appointments``: one place every quarter of an hour."""

    minutes: int = 15
    booked: dict[str, Appointment] = field(default_factory=dict)  # by code
    used: list[tuple[str, CallId]] = field(default_factory=list)

    async def free(self, item: Item, now: float) -> Sequence[tuple[float, int]]:
        taken = {appointment.at for appointment in self.booked.values()}
        return [(at, 1) for at in (NOW + 900, NOW + 1800) if at not in taken]

    async def book(
        self, item: Item, station: StationCard, at: float, phone: str | None, now: float
    ) -> Appointment:
        if at not in [free for free, _ in await self.free(item, now)]:
            raise Taken
        code = f"{len(self.booked) + 1:06}"
        made = Appointment(f"a{code}", code, item.id, station.id, station.site, at, now, phone)
        self.booked[code] = made
        return made

    async def due(self, code: str, now: float) -> Appointment | None:
        found = self.booked.get(code)
        return found if found is not None and abs(found.at - now) <= 900 else None

    async def called(self, appointment: str, call: CallId) -> None:
        self.used.append((appointment, call))


@dataclass
class Trail:
    """``signaling.ports.AuditTrail`` that remembers, and fails while ``down``."""

    down: bool = False
    lines: list[tuple[AccountId, CallId, str]] = field(default_factory=list)

    async def supervised(self, supervisor: AccountId, call: CallId, mode: str, at: float) -> None:
        if self.down:
            raise LedgerDown
        self.lines.append((supervisor, call, mode))


def account(
    id: AccountId,
    role: AccountRole = AccountRole.AGENT,
    skills: dict[SkillId, int] | None = None,
    department: DepartmentId = LABOUR,
) -> Account:
    name = Text(f"坐席 {id}", f"Agent {id}")
    if skills is None:
        skills = {SKILL: 3} if role is AccountRole.AGENT else {}
    return Account(id, id, role, name, "0317", department, SiteId("hall"), skills)


class World:
    """``redis`` None: everything in memory. ``nodes`` None: those of ``racks``."""

    def __init__(
        self,
        redis: Redis | None = None,
        rules: Rules | None = None,
        nodes: Nodes | None = None,
        clock: Clock | None = None,
        plan: Plan | None = None,
    ) -> None:
        self.clock, self.books, self.racks, self.bus = clock or Clock(), Books(), Racks(), LocalBus()
        self.slots, self.trail, self.figures = Slots(), Trail(), Figures()
        nodes = nodes or self.racks
        self.welcome = True  # whether cookies and keys are still good
        rules = rules or Rules()
        ids = count(1)
        self.calls: Calls = MemoryCalls(self.clock) if redis is None else RedisCalls(redis, HALL)
        self.availability: Availability = (
            MemoryAvailability(rules) if redis is None else RedisAvailability(redis, HallId(HALL), rules)
        )
        self.holders: Holders = MemoryHolders() if redis is None else RedisHolders(redis, HALL)
        self.switchboard = Switchboard(
            hall=HALL,
            calls=self.calls,
            availability=self.availability,
            nodes=nodes,
            ledger=self.books,
            bus=self.bus,
            clock=self.clock,
            new_id=lambda: f"c{next(ids)}",
            folder_of=lambda call: f"day/{call.id}",
            plan=lambda: self.dispatcher.plan,
            poke=lambda: None,
        )
        self.hall = Hall(
            switchboard=self.switchboard,
            calls=self.calls,
            availability=self.availability,
            holders=self.holders,
            directory=Names(),
            statistics=self.figures,
            ledger=self.books,
            bus=self.bus,
            turn=Turn(("turn:turn.example.org",), "secret"),
            clock=self.clock,
            plan=lambda: self.dispatcher.plan,
            picture=lambda: self.dispatcher.follow(),
            outlook=self._outlook,
            duty=self._duty,
            appointments=self.slots,
            audit=self.trail,
            nodes=nodes.alive,
            rules=rules,
        )
        self.timers = Timers(self.hall)
        self.dispatcher = Dispatcher(
            self.availability,
            plan or PLAN,
            rules,
            self.clock,
            lambda: ReservationId(f"r{next(ids)}"),
            self._reserved,
            self._ring_expired,
            self._new_life,
        )

    # --- people ------------------------------------------------------------------------------------------

    def station(self, id: StationId = FIRST) -> "Peer":
        card = Names().cards[id]
        return self.peer("station", lambda s: StationDesk(self.hall, s, card, self._is_welcome))

    def agent(self, id: AccountId = LIN, who: Account | None = None) -> "Peer":
        """``who``: somebody else than an agent of the first queue."""
        card, known = Names().agent(id), who or account(id)
        assert card is not None
        return self.peer("agent", lambda s: AgentDesk(self.hall, s, known, card, self._is_welcome))

    def manager(self) -> "Peer":
        who = account(BOSS, AccountRole.MANAGER)
        return self.peer("manager", lambda s: ManagerDesk(self.hall, s, who, self._is_welcome))

    def peer(self, kind: str, desk: Any) -> "Peer":
        session = Session(f"session-{id(desk)}", "token", self.clock)
        session.desk = desk(session)
        return Peer(kind, session)

    async def lets_in(self, station: "Peer", item: ItemId = ITEM, **wish: Any) -> m.ErrorCode | None:
        """Somebody is on duty when the resident calls, and gone before they can be rung."""
        chen = await self.agent_on_duty(CHEN)
        refused = await station.asks("call", item=item, consent=True, **wish)
        assert await chen.asks("set_presence", presence="signed_out") is None
        return refused

    async def agent_on_duty(self, id: AccountId = LIN, who: Account | None = None) -> "Peer":
        agent = await self.agent(id, who).arrives()
        assert await agent.asks("set_presence", presence="available") is None
        return agent

    async def copy(self, call: Call, id: str) -> Call:
        """Another station's call just like this one."""
        who = StationId(f"station of {id}")
        made = msgspec.structs.replace(call, id=CallId(id), station=who, revision=0)
        assert await self.calls.create(made, (), None) is not None
        return made

    # --- what happens --------------------------------------------------------------------------------------

    async def dispatch(self) -> None:
        await self.dispatcher.round(self.clock())

    async def call(self, id: CallId) -> Call:
        found = await self.calls.load(id)
        assert found is not None
        return found

    async def known(self, id: AccountId) -> Agent:
        found = await self.availability.agent(id)
        assert found is not None
        return found

    async def queue(self) -> list[CallId]:
        return [waiting.call for waiting in (await self.availability.snapshot()).waiting]

    async def media_up(self, id: CallId, participant: ParticipantId) -> None:
        """The node offers, the browser answers, the packets flow."""
        seat = seat_of(await self.call(id), participant)
        assert seat is not None
        await self.offered(id, participant, seat.generation)
        await self.switchboard.tell(id, ev.Answered(participant, seat.generation, "answer"))
        await self.node_says(protocol.Connected, id, participant=participant, generation=seat.generation)

    async def offered(self, id: CallId, participant: ParticipantId, generation: int = 1) -> None:
        await self.node_says(
            protocol.Offered, id, participant=participant, generation=generation, sdp=f"offer {generation}"
        )

    async def node_says(self, event: Any, id: CallId, at: NodeId = NODE_A, **rest: Any) -> None:
        await self.switchboard.hear(event(HALL, RoomId(id), at, self.clock(), **rest))

    async def talking(self) -> "Talk":
        """A resident and an agent in an active call."""
        station, agent = await self.station().arrives(), await self.agent_on_duty()
        assert await station.asks("call", item=ITEM, consent=True) is None
        await self.dispatch()
        ring = (await agent.sees()).ring
        assert await agent.asks("accept", call=ring.call, reservation=ring.reservation) is None
        await self.media_up(ring.call, RESIDENT)
        await self.media_up(ring.call, ParticipantId("agent-1"))
        assert (await self.call(ring.call)).state is State.ACTIVE
        return Talk(station, agent, ring.call)

    async def _outlook(self) -> Outlook:
        return Outlook(await self.dispatcher.follow(), self.dispatcher.plan, self.clock())

    async def _duty(self) -> Mapping[QueueId, Duty]:
        return duty(await self.dispatcher.follow(), self.dispatcher.plan, self.clock())

    async def _new_life(self, generation: int) -> None:
        await self.bus.tell(GENERATION, QUEUE)

    async def _reserved(self, reservation: Reservation) -> None:
        await self._or_withdraw(reservation, ev.Reserved(reservation))

    async def _ring_expired(self, reservation: Reservation) -> None:
        await self._or_withdraw(reservation, ev.RingExpired(reservation.id))

    async def _or_withdraw(self, reservation: Reservation, event: ev.AnyEvent) -> None:
        try:
            await self.switchboard.tell(reservation.call, event)
        except (UnknownCall, InvalidTransition):
            await self.availability.give_back(reservation.id, Release.WITHDRAWN, self.clock())

    async def _is_welcome(self) -> bool:
        return self.welcome


class Peer:
    """One browser's session without its socket: asks in JSON, reads what it was sent."""

    def __init__(self, kind: str, session: Session) -> None:
        self.kind, self.session = kind, session
        self.got: list[Any] = []
        self._refs = count(1)

    @property
    def desk(self) -> Desk:
        return self.session.desk

    async def arrives(self, *, resumed: bool = False) -> "Peer":
        await self.desk.opened(resumed)
        await self.desk.refresh()
        self.read()
        return self

    async def asks(self, type: str, **fields: Any) -> m.ErrorCode | None:
        """None when it was acknowledged, else the name of what went wrong."""
        ref = next(self._refs)
        return await self.says_raw(msgspec.json.encode({"type": type, "ref": ref, **fields}), ref)

    async def says_raw(self, frame: bytes, ref: int | None) -> m.ErrorCode | None:
        self.read()
        await self.session.receive(frame)
        answer = next(f for f in self.read() if isinstance(f, m.Ack | m.Error) and f.ref == ref)
        return answer.code if isinstance(answer, m.Error) else None

    async def sees(self) -> Any:
        """The last state sent, after another look."""
        await self.desk.refresh()
        self.read()
        return next(
            s for s in reversed(self.got) if isinstance(s, m.StationState | m.AgentState | m.ManagerState)
        )

    def read(self) -> list[Any]:
        new = [_outbound[self.kind].decode(frame) for frame in self.session.take_frames()]
        self.got += new
        return new

    def all(self, kind: type) -> list[Any]:
        self.read()
        return [message for message in self.got if isinstance(message, kind)]


@dataclass
class Talk:
    station: Peer
    agent: Peer
    call: CallId
