"""Names and figures for the live pages: read from records/ now and then, answered from memory at once."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from records.calls import Figures
from records.content import items_at
from records.model import Account, AccountId, Content, Item, ItemId, SiteId, SkillId, Station, StationId, Text
from records.store import Store
from signaling.messages import AgentCard, DayFigures
from signaling.ports import StationCard
from web.hall_time import HallTime

log = structlog.get_logger(__name__)

REFRESH_S = 5.0
RECENT_S = 14 * 86400.0  # how far back an estimate looks
RECENT_CALLS = 30  # and over how many calls


class HallDirectory:
    """``signaling.ports.Directory``. ``renew`` brings accounts and stations up to date."""

    def __init__(self, store: Store, content: Content) -> None:
        self._store = store
        self._content = content
        self._items = {item.id: item for item in content.items}
        self._sites = {site.id: site for site in content.sites}
        self._departments = {d.id: d for d in content.departments}
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
        department = self._departments.get(account.department)
        name = Text(account.department, account.department) if department is None else department.name
        return AgentCard(account.name, name, account.badge)


class HallStatistics:
    """``signaling.ports.Statistics`` over the records of the calls that are over."""

    def __init__(
        self, store: Store, content: Content, hall: HallTime, goal_s: int, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._hall = hall
        self._goal_s = goal_s
        self._now = now
        self._by_skill: dict[SkillId, list[ItemId]] = {}
        for item in content.items:
            self._by_skill.setdefault(item.skill, []).append(item.id)
        self._talks: dict[SkillId, Sequence[float]] = {}
        self._today = DayFigures(0, 0, 0, 0, goal_s, None, None, None)

    async def renew(self) -> None:
        now = self._now()
        since, until = self._hall.day_span(self._hall.today(now), self._hall.today(now))
        self._today = _day_figures(await self._store.calls.day_figures(since, until, self._goal_s))
        for skill, items in self._by_skill.items():
            history = await self._store.calls.wait_history(now - RECENT_S, items, RECENT_CALLS)
            self._talks[skill] = tuple(duration.talk for duration in history)

    def recent_talks(self, skill: SkillId) -> Sequence[float]:
        return self._talks.get(skill, ())

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
