"""The manager's first page in a real browser, and every page of the back office under axe-core."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from agents.agent import Activity, Lane, PauseReason, Presence
from records.model import AccountId, CallId, ParticipantRole, QueueId, StationId, Text
from signaling.messages import (
    AgentRow,
    DayFigures,
    LiveRow,
    ManagerState,
    Network,
    NodeRow,
    PersonView,
    QueueRow,
    StationRow,
    WaitingRow,
)
from signaling.quality import Judgement
from signaling.snapshot import State
from tests.web.back_office import NOW, Office, office
from tests.web.sample_call import CALL, whole_call

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW_MS = int(NOW * 1000)
LI_HUA, ITEM = Text("李华", "Li Hua"), Text("社保缴费证明打印", "Proof of social insurance")
ONE, TWO = Text("望湖 1 号终端", "Wanghu station 1"), Text("望湖 2 号终端", "Wanghu station 2")

NETWORKS = (
    Network(ParticipantRole.RESIDENT, Judgement.WEAK, 340, 4.2, 0.1, 420, 380),
    Network(ParticipantRole.AGENT, Judgement.GOOD, None, 0.0, 0.0, 1180, 410),
)


def live_row(
    call: str = "l1",
    station: Text = ONE,
    networks: tuple[Network, ...] = NETWORKS,
    people: tuple[PersonView, ...] = (),
    **changed: Any,
) -> LiveRow:
    row = LiveRow(
        CallId(call), ITEM, station, LI_HUA, State.ACTIVE, NOW_MS - 65_000, True, people, False, networks
    )
    return msgspec.structs.replace(row, **changed)


def agent_row(
    agent: str,
    name: Text,
    presence: Presence = Presence.AVAILABLE,
    reason: PauseReason | None = None,
    activity: Activity = Activity.IDLE,
    since: int = NOW_MS,
    occupancy: int | None = None,
) -> AgentRow:
    role = ParticipantRole.AGENT
    return AgentRow(AccountId(agent), name, presence, reason, activity, since, role, occupancy)


def waiting_row(call: str, station: Text, since: int, ringing: Text | None = None) -> WaitingRow:
    queue = Text("综合服务", "General")
    return WaitingRow(CallId(call), ITEM, station, since, ringing, Lane.NORMAL, queue, None)


def calm(**changed: Any) -> ManagerState:
    """Nobody waits, one call is on, one agent is free."""
    state = ManagerState(
        now=NOW_MS,
        waiting=(),
        live=(live_row(),),
        agents=(
            agent_row("a1", LI_HUA, activity=Activity.IN_CALL, since=NOW_MS - 65_000, occupancy=71),
            agent_row("a2", Text("陈洁", "Chen Jie"), since=NOW_MS),
        ),
        stations=(StationRow(StationId("s1"), ONE, True), StationRow(StationId("s2"), TWO, True)),
        nodes=(NodeRow("media-1", 40000, 1, 40, 7, 0.4, False, None),),
        queues=(
            QueueRow(QueueId("general"), Text("综合服务", "General"), True, 0, None, 2, 1, 15, 95, 90, 10),
            QueueRow(QueueId("tax"), Text("办税服务", "Taxes"), False, 0, None, 0, 0, 30, 80, None, None),
        ),
        occupancy=36,
        supervising=None,
        today=DayFigures(11, 9, 1, 9, 15, 7.5, 300.0, 4.8),
    )
    return msgspec.structs.replace(state, **changed)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with office(tmp_path_factory.mktemp("live")) as made:
        await whole_call(made.store, made.recordings, 7.0)
        yield made


@asynccontextmanager
async def opened(
    browser: Browser, hall: Office, who: str = "wangmin", lang: str = "zh"
) -> AsyncIterator[Page]:
    context = await browser.new_context(base_url=hall.url, viewport={"width": 1440, "height": 900})
    await context.add_cookies(
        [
            {"name": name, "value": value, "url": hall.url}
            for name, value in (("account", who), ("lang", lang))
        ]
    )
    page = await context.new_page()
    page.set_default_timeout(8_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    try:
        yield page
    finally:
        await context.close()
    assert faults == []


async def figure(page: Page, name: str) -> str:
    return (
        await page.locator(".figure", has=page.get_by_text(name, exact=True)).locator("strong").inner_text()
    )


async def test_it_says_that_it_connects_until_the_first_state(browser: Browser, hall: Office) -> None:
    hall.state = None
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.get_by_text("正在连接，请稍候").wait_for()
        assert await page.locator(".figures").count() == 0


async def test_all_is_well(browser: Browser, hall: Office) -> None:
    hall.state = calm()
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.locator(".verdict.calm").wait_for()
        assert await page.locator(".verdict.wrong, .link-line").count() == 0
        assert [
            await figure(page, name) for name in ("正在等候", "最长等候", "通话中", "空闲人员", "终端在线")
        ] == [
            "0",
            "—",
            "1",
            "1",
            "2",
        ]
        assert await figure(page, "今日 15 秒内接通率") == "90%"
        assert await figure(page, "忙碌率") == "36%"
        assert await figure(page, "放弃率") == "10%"
        row = page.locator(".live-list", has_text="进行中的通话").locator("tbody tr")
        assert "共享中" in await row.inner_text()
        assert await row.locator("a").get_attribute("href") == "/manager/calls/l1"


async def test_every_call_shows_its_networks(browser: Browser, hall: Office) -> None:
    quiet = live_row("l2", TWO, (), phase=State.CONNECTING, answered_at=None, sharing=False)
    hall.state = calm(live=(*calm().live, quiet))
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        rows = page.locator(".live-list", has_text="进行中的通话").locator("tbody tr")
        marks = rows.first.locator(".network")
        await marks.first.wait_for()
        assert [(await mark.inner_text()).split("\n") for mark in await marks.all()] == [
            ["居民 · 较弱", "340 ms，丢包 4.2%，发 420 收 380 kbit/s"],
            ["工作人员 · 良好", "—，丢包 0.0%，发 1180 收 410 kbit/s"],
        ]
        assert [await mark.get_attribute("data-judgement") for mark in await marks.all()] == ["weak", "good"]
        assert await rows.last.locator("td.networks").inner_text() == "—"
        assert "旁听" in await rows.last.locator("td.acts").inner_text()


async def test_every_queue_stands_against_its_goal(browser: Browser, hall: Office) -> None:
    hall.state = calm()
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        rows = page.locator(".live-list", has_text="放弃").locator("tbody tr")
        await rows.first.wait_for()
        texts = [" ".join((await row.inner_text()).split()) for row in await rows.all()]
        assert texts == [
            "综合服务 0 — 1 / 2 90% 目标 95% / 15 秒 10%",
            "办税服务 现在不在服务时间 0 — 0 / 0 — 目标 80% / 30 秒 —",
        ]
        assert await page.locator("td.low").count() == 1


async def test_every_media_node_is_listed(browser: Browser, hall: Office) -> None:
    hall.state = calm(
        nodes=(
            NodeRow("media-1", 40000, 12, 100, 37, 0.44, False, None),
            NodeRow("media-2", 40001, 90, 100, 83, 3.0, False, "cpu"),
            NodeRow("media-3", 40002, 3, 100, 20, 80.0, False, "lag"),
            NodeRow("media-4", 40003, 100, 100, 60, 2.0, False, "something new"),
            NodeRow("media-5", 0, 1, 100, 1, 0.1, True, "draining"),
        )
    )
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        rows = page.locator(".live-list", has_text="媒体节点").locator("tbody tr")
        await rows.first.wait_for()
        assert [(await row.inner_text()).split("\t") for row in await rows.all()] == [
            ["media-1", "40000", "12 / 100", "37 %", "0.4 ms", "可以接通话"],
            ["media-2", "40001", "90 / 100", "83 %", "3.0 ms", "已满：处理器忙"],
            ["media-3", "40002", "3 / 100", "20 %", "80.0 ms", "已满：处理不及时"],
            ["media-4", "40003", "100 / 100", "60 %", "2.0 ms", "已满"],
            ["media-5", "—", "1 / 100", "1 %", "0.1 ms", "正在退出，不接新通话"],
        ]


async def test_what_needs_a_hand_is_said(browser: Browser, hall: Office) -> None:
    missed = agent_row("a3", LI_HUA, Presence.PAUSED, PauseReason.MISSED_CALLS, since=NOW_MS - 5_000)
    waiting = waiting_row("w1", TWO, NOW_MS - 130_000)
    hall.state = calm(
        waiting=(waiting, waiting_row("w2", ONE, NOW_MS - 5_000, LI_HUA)),
        agents=(missed,),
        stations=(StationRow(StationId("s1"), ONE, False),),
        nodes=(),
        today=DayFigures(10, 5, 5, 2, 15, None, None, None),
    )
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.locator(".verdict.wrong").wait_for()
        lines = await page.locator(".verdict.wrong li").all_inner_texts()
        assert lines[0] == "没有媒体节点，无法开始新的通话"
        assert lines[1] == "有来电在等候，但没有空闲人员"
        assert lines[2].startswith("望湖 2 号终端的来电已等候 2:1")
        assert lines[3:] == ["终端离线：望湖 1 号终端", "李华连续没有接听来电，已自动暂停"]
        assert await page.locator(".figure.low").count() == 1
        first = await figure(page, "最长等候")
        await page.locator(".figure", has_text="最长等候").get_by_text(first).wait_for(state="detached")


async def test_many_stations_offline_are_one_line(browser: Browser, hall: Office) -> None:
    hall.state = calm(stations=tuple(StationRow(StationId(f"s{n}"), ONE, n > 5) for n in range(9)))
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.locator(".verdict.wrong").wait_for()
        assert await page.locator(".verdict.wrong li").all_inner_texts() == ["6 台终端离线"]
        states = (
            await page.locator(".live-list", has_text="终端")
            .last.locator("tbody td:last-child")
            .all_inner_texts()
        )
        assert states == ["离线"] * 6 + ["在线"] * 3


async def test_the_page_speaks_english(browser: Browser, hall: Office) -> None:
    hall.state = calm(agents=(), live=(), stations=(), queues=())
    async with opened(browser, hall, lang="en") as page:
        await page.goto("/manager")
        await page.get_by_text("All is well. Nothing needs a hand.").wait_for()
        text = (await page.locator("body").inner_text()).replace("中文", "")
        assert not any("一" <= letter <= "鿿" for letter in text)


async def test_a_lost_connection_is_told_and_the_last_state_stays(browser: Browser, hall: Office) -> None:
    hall.state = calm()
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.locator(".verdict.calm").wait_for()
        for socket in list(hall.sockets):
            await socket.close(code=4008)
        await page.locator(".link-line[data-link=lost]").wait_for()
        assert await page.locator(".figures").count() == 1
        await page.locator(".link-line").wait_for(state="detached")


async def test_whoever_is_signed_in_no_longer_is_shown_the_way_back(browser: Browser, hall: Office) -> None:
    hall.state = calm()
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.locator(".verdict.calm").wait_for()
        for socket in list(hall.sockets):
            await socket.close(code=4006)
        back = page.locator(".link-line[data-link=closed]").get_by_role("link", name="重新登录")
        assert await back.get_attribute("href") == "/manager/login?next=/manager"


PAGES = [
    ("wangmin", "/manager"),
    ("wangmin", "/manager/calls"),
    ("wangmin", "/manager/calls?station=s9&from=x"),
    ("wangmin", f"/manager/calls/{CALL}"),
    ("zhaolei", f"/manager/calls/{CALL}"),
    ("wangmin", "/manager/callbacks"),
    ("wangmin", "/manager/audit"),
    ("admin", "/admin/stations"),
    ("admin", "/admin/accounts"),
    ("admin", "/admin/accounts/wangmin"),
    ("admin", "/admin/audit"),
]


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_nothing_for_axe_to_say(browser: Browser, hall: Office, lang: str) -> None:
    """wangmin sees the purpose form, zhaolei the player."""
    hall.state = calm(waiting=(waiting_row("w1", TWO, NOW_MS - 130_000),))
    two = asyncio.Semaphore(2)  # pages at a time

    async def said(who: str, path: str) -> list[str]:
        async with two, opened(browser, hall, who, lang) as page:
            if who == "zhaolei":
                await page.request.post(f"{path}/open", form={"purpose": "training"})
            await page.goto(path)
            await page.locator(".figures, main h1 + *, .stage").first.wait_for()
            results = await Axe().run(page)
            return [
                f"{path}: {violation['id']}: {node['html'][:160]}"
                for violation in results.response["violations"]
                for node in violation["nodes"]
            ]

    assert await asyncio.gather(*(said(who, path) for who, path in PAGES)) == [[]] * len(PAGES)
