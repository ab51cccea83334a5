"""Names and figures for the live pages: read from records/ now and then, answered from memory at once."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from agents.plan import Plan
from records.calls import Figures
from records.content import items_at
from records.model import (
    Account,
    AccountId,
    Content,
    DepartmentId,
    Item,
    ItemId,
    QueueId,
    SiteId,
    SkillId,
    Station,
    StationId,
    Text,
)
from records.store import Store
from signaling.messages import AgentCard, DayFigures
from signaling.ports import QueueFigures, StationCard
from web.hall_time import HallTime
from web.plan import items_of

log = structlog.get_logger(__name__)

REFRESH_S = 5.0
RECENT_S = 14 * 86400.0  # how far back an estimate looks
RECENT_CALLS = 30  # and over how many calls
NOTHING_YET = QueueFigures(0, 0, 0, 0)


class HallDirectory:
    """``signaling.ports.Directory``. ``renew`` brings accounts and stations up to date."""

    def __init__(self, store: Store, content: Content) -> None:
        self._store = store
        self._content = content
        self._items = {item.id: item for item in content.items}
        self._sites = {site.id: site for site in content.sites}
        self._departments = {d.id: d for d in content.departments}
        zones = {str(zone.id): zone.name for zone in content.zones}
        self._skills = zones | {str(skill.id): skill.name for skill in content.skills}
        self._interpreting = tuple(skill.id for skill in content.skills if skill.interpreter)
        self._served = {
            site.id: frozenset(i.id for i in items_at(content, site.id)) for site in content.sites
        }
        self._stations: dict[StationId, Station] = {}
        self._accounts: dict[AccountId, Account] = {}

    async def renew(self) -> None:
        self._stations = {s.id: s for s in await self._store.devices.stations()}
        self._accounts = {a.id: a for a in await self._store.accounts.list_accounts()}

    @property
    def content(self) -> Content:
        return self._content

    def item(self, item: ItemId) -> Item | None:
        return self._items.get(item)

    def serves(self, site: SiteId, item: ItemId) -> bool:
        return item in self._served.get(site, frozenset())

    def station(self, station: StationId) -> StationCard | None:
        found = self._stations.get(station)
        return None if found is None else self.station_card(found)

    def stations(self) -> tuple[StationCard, ...]:
        return tuple(self.station_card(s) for s in self._stations.values() if s.active)

    def agent(self, account: AccountId) -> AgentCard | None:
        found = self._accounts.get(account)
        return None if found is None else self.agent_card(found)

    def station_card(self, station: Station) -> StationCard:
        site = self._sites.get(station.site)
        name = Text(station.site, station.site) if site is None else site.name
        return StationCard(station.id, station.name, station.site, name)

    def agent_card(self, account: Account) -> AgentCard:
        return AgentCard(account.name, self.department(account.department), account.badge)

    def skill(self, skill: SkillId) -> Text:
        return self._skills.get(str(skill), Text(skill, skill))

    def department(self, department: DepartmentId) -> Text:
        found = self._departments.get(department)
        return Text(department, department) if found is None else found.name

    def interpreting(self) -> Sequence[SkillId]:
        return self._interpreting


class HallStatistics:
    """``signaling.ports.Statistics`` over the records of the calls that are over."""

    def __init__(
        self,
        store: Store,
        content: Content,
        plan: Plan,
        hall: HallTime,
        goal_s: int,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._hall = hall
        self._goal_s = goal_s
        self._now = now
        self._items = items_of(content)
        self._talks: dict[QueueId, Sequence[float]] = {}
        self._queues: dict[QueueId, QueueFigures] = {}
        self._plan = plan
        self._today = DayFigures(0, 0, 0, 0, goal_s, None, None, None)

    async def renew(self) -> None:
        now = self._now()
        since, until = self._hall.day_span(self._hall.today(now), self._hall.today(now))
        self._today = _day_figures(await self._store.calls.day_figures(since, until, self._goal_s))
        for queue, items in self._items.items():
            history = await self._store.calls.wait_history(now - RECENT_S, items, RECENT_CALLS)
            self._talks[queue] = tuple(duration.talk + duration.wrap_up for duration in history)
            goal = round(self._plan.queues[queue].goal_s)
            figures = await self._store.calls.day_figures(since, until, goal, items)
            self._queues[queue] = QueueFigures(
                figures.calls, figures.answered, figures.abandoned, figures.in_goal
            )

    def recent_talks(self, queue: QueueId) -> Sequence[float]:
        return self._talks.get(queue, ())

    def of_queue(self, queue: QueueId) -> QueueFigures:
        return self._queues.get(queue, NOTHING_YET)

    def today(self) -> DayFigures:
        return self._today


async def keep_renewed(directory: HallDirectory, statistics: HallStatistics) -> None:
    """Until cancelled; a database that is away leaves the last known answers standing."""
    while True:
        await asyncio.sleep(REFRESH_S)
        try:
            await directory.renew()
            await statistics.renew()
        except Exception as failed:
            log.warning("names and figures are not renewed", why=str(failed))


def _day_figures(figures: Figures) -> DayFigures:
    return DayFigures(
        calls=figures.calls,
        answered=figures.answered,
        abandoned=figures.abandoned,
        in_goal=figures.in_goal,
        goal_s=figures.goal_s,
        mean_wait_s=figures.mean_wait_s,
        mean_talk_s=figures.mean_talk_s,
        mean_stars=figures.mean_stars,
    )
