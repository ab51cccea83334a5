"""The player in a real browser, on real recordings: in step, seeking together, parts at their own time.

The sample call: the resident from 0 to 12, the agent from 0.8 to 12, a share from 3 to 10.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from records.model import MediaKind, ParticipantId
from tests.web.back_office import Office, office
from tests.web.sample_call import AGENT, CALL, RESIDENT, START, part, seal, summary, whole_call
from tests.web.webm import write_webm

pytestmark = pytest.mark.asyncio(loop_scope="module")

LENGTH = 12.0
IN_STEP_S = 0.1

FEEDS = """() => {
  const timeline = JSON.parse(document.querySelector("[data-timeline]").dataset.timeline);
  return timeline.parts.map((part) => {
    const figure = document.querySelector(`figure[data-part="${part.id}"]`);
    const video = figure.querySelector("video");
    return {id: part.id, at: video.currentTime + part.offset, shown: !figure.hidden, paused: video.paused,
            rate: video.playbackRate, volume: video.volume, muted: video.muted, ready: video.readyState,
            seeking: video.seeking};
  });
}"""

CLOCK = "() => Number(document.querySelector('[role=slider]').getAttribute('aria-valuenow'))"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with office(tmp_path_factory.mktemp("player")) as made:
        await whole_call(made.store, made.recordings, LENGTH)
        yield made


@asynccontextmanager
async def watching(
    browser: Browser, hall: Office, call: str = CALL, who: str = "wangmin"
) -> AsyncIterator[Page]:
    """The player of a call, opened with a purpose; every error that the page tells of fails the test."""
    context = await browser.new_context(base_url=hall.url, viewport={"width": 1440, "height": 900})
    await context.add_cookies([{"name": "account", "value": who, "url": hall.url}])
    page = await context.new_page()
    page.set_default_timeout(20_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    answer = await page.request.post(f"/manager/calls/{call}/open", form={"purpose": "quality"})
    assert answer.ok
    await page.goto(f"/manager/calls/{call}")
    await page.locator(".stage[data-layout]").wait_for()
    try:
        yield page
    finally:
        await context.close()
    assert faults == []


async def feeds(page: Page) -> dict[str, dict[str, Any]]:
    return {feed["id"]: feed for feed in await page.evaluate(FEEDS)}


async def until(page: Page, condition: str) -> float:
    """Until a condition over ``feeds`` (by id) and ``clock`` holds; the clock at that moment."""
    clock: float = await page.evaluate(
        f"""async () => {{
          const feeds = () => Object.fromEntries(({FEEDS})().map((feed) => [feed.id, feed]));
          const end = performance.now() + 20000;
          while (!((feeds, clock) => {condition})(feeds(), ({CLOCK})())) {{
            if (performance.now() > end) throw new Error("not in time: " + JSON.stringify(feeds()));
            await new Promise((done) => requestAnimationFrame(done));
          }}
          return ({CLOCK})();
        }}"""
    )
    return clock


SETTLED = "Object.values(feeds).every((feed) => !feed.seeking && feed.ready >= 2)"


async def seek_to(page: Page, seconds: float) -> None:
    """A click on the timeline."""
    box = await page.locator("[role=slider]").bounding_box()
    assert box is not None
    length = json.loads(await page.locator("[data-timeline]").get_attribute("data-timeline") or "")["length"]
    await page.mouse.click(box["x"] + box["width"] * seconds / length, box["y"] + box["height"] / 2)


LANES = """() => [...document.querySelectorAll("[data-network]")].map((lane) => ({
  who: lane.dataset.network,
  box: (({left, right}) => [left, right])(lane.getBoundingClientRect()),
  bars: [...lane.querySelectorAll("g")].map((bar) => [
    bar.dataset.judgement,
    ...(({left, right}) => [left, right])(bar.querySelector(".ground").getBoundingClientRect()),
    bar.querySelector(".freeze") !== null,
  ]),
}))"""


async def test_the_networks_are_drawn_in_step_with_the_timeline(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        resident, agent = await page.evaluate(LANES)
        tracks = await page.locator("[role=slider]").bounding_box()
        head = page.locator("[data-head]")
        await seek_to(page, 5.0)
        await until(page, "Math.abs(clock - 5) < 0.05")
        at = await head.bounding_box()
        shown = await page.locator("[data-network=resident] title").all_text_contents()
        legend = await page.get_by_text("竖条是补发前的丢包").count()
    assert tracks is not None
    assert at is not None
    assert (resident["who"], agent["who"]) == ("resident", "agent")
    left, right = tracks["x"], tracks["x"] + tracks["width"]
    assert resident["box"] == pytest.approx([left, right], abs=1)
    middle = left + tracks["width"] * 5 / LENGTH
    (grade, begins, ends, froze), (later, _, last, _) = resident["bars"]
    assert (grade, froze, later) == ("weak", True, "good")
    assert [begins, ends, last] == pytest.approx([left, middle, right], abs=1)
    assert at["x"] + at["width"] / 2 == pytest.approx(middle, abs=2)
    assert at["height"] > tracks["height"] + 60  # it runs through the networks as well
    assert [bar[0] for bar in agent["bars"]] == ["good", "good"]
    assert shown[0] == (
        "0:00 较弱：往返 320 ms，丢包 5.0 %，没有补回 0.2 %，停顿 1 次，发出 1100 kbit/s，收到 900 kbit/s"
    )
    assert legend == 1


async def test_a_click_on_the_timeline_moves_all(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        for target in (7.0, 4.0, 9.0):
            await seek_to(page, target)
            await until(page, SETTLED)
            for feed in (await feeds(page)).values():
                assert abs(feed["at"] - target) < IN_STEP_S, feed
                assert feed["shown"]
                assert feed["paused"]


async def test_seeking_while_it_plays_moves_all(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        await page.locator("[data-play]").click()
        await until(page, "clock > 0.5")
        await seek_to(page, 6.0)
        await until(page, "clock > 6.3 && " + SETTLED)
        found = await feeds(page)
        assert (
            max(feed["at"] for feed in found.values()) - min(feed["at"] for feed in found.values())
            < IN_STEP_S
        )
        assert not any(feed["paused"] for feed in found.values())


async def test_three_seconds_in_step(browser: Browser, hall: Office) -> None:
    """Sampled on every frame of the page once all three run."""
    async with watching(browser, hall) as page:
        await seek_to(page, 4.0)
        await page.locator("[data-play]").click()
        await until(page, "clock > 4.8")
        spreads = await page.evaluate(
            f"""async () => {{
              const spreads = [], end = performance.now() + 3000;
              while (performance.now() < end) {{
                const at = ({FEEDS})().map((feed) => feed.at);
                spreads.push(Math.max(...at) - Math.min(...at));
                await new Promise((done) => requestAnimationFrame(done));
              }}
              return spreads;
            }}"""
        )
        assert len(spreads) > 20
        assert max(spreads) < IN_STEP_S
        assert await page.evaluate(CLOCK) > 6.8


async def test_parts_come_and_go_at_their_time(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        assert {id: feed["shown"] for id, feed in (await feeds(page)).items()} == {
            "p-resident": True,
            "p-agent": False,
            "p-share": False,
        }
        await page.locator("[data-play]").click()
        assert 0.7 <= await until(page, "feeds['p-agent'].shown") <= 1.1
        await seek_to(page, 2.5)
        assert 2.9 <= await until(page, "feeds['p-share'].shown") <= 3.3
        await until(
            page, "!feeds['p-share'].paused && Math.abs(feeds['p-share'].at - feeds['p-resident'].at) < 0.1"
        )
        assert await page.locator(".stage").get_attribute("data-layout") == "share"
        share = await page.locator("figure[data-kind=share]").bounding_box()
        camera = await page.locator("figure[data-part=p-resident]").bounding_box()
        assert share is not None
        assert camera is not None
        assert share["width"] > 2 * camera["width"]
        await seek_to(page, 9.6)
        await until(page, "!feeds['p-share'].shown && clock >= 10")
        assert (await feeds(page))["p-share"]["paused"]
        assert await page.locator(".stage").get_attribute("data-layout") == "people"


async def test_it_stops_at_the_end_and_begins_again(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        await seek_to(page, 11.4)
        await page.locator("[data-play]").click()
        await until(page, "clock >= 12 && Object.values(feeds).every((feed) => feed.paused)")
        await page.locator("[data-play]").click()
        await until(page, "clock > 0.3 && clock < 2 && !feeds['p-resident'].paused")


async def test_keys(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        await page.keyboard.press("ArrowRight")
        await until(page, f"clock === 5 && {SETTLED}")
        assert abs((await feeds(page))["p-agent"]["at"] - 5) < IN_STEP_S
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("ArrowLeft")
        await until(page, "clock === 0")
        await page.keyboard.press("Space")
        await until(page, "clock > 0.3")
        await page.keyboard.press("Space")
        await until(page, "feeds['p-resident'].paused")
        await page.locator("[data-volume]").first.focus()
        await page.keyboard.press("ArrowLeft")  # the slider's own key
        assert await page.evaluate(CLOCK) < 2
        assert (await feeds(page))["p-resident"]["volume"] == pytest.approx(0.95)


async def test_rate_volume_and_mute(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        await page.locator("[data-rate='2']").click()
        await page.locator(f"[data-mute={AGENT}-camera]").click()
        await page.locator(f"[data-volume={RESIDENT}-camera]").fill("0.25")
        await page.locator("[data-play]").click()
        await until(page, "clock > 4")
        found = await feeds(page)
        assert all(1.8 < feed["rate"] < 2.2 for feed in found.values() if not feed["paused"])
        assert (found["p-agent"]["muted"], found["p-resident"]["muted"]) == (True, False)
        assert found["p-resident"]["volume"] == 0.25
        assert await page.locator("[data-rate='2']").get_attribute("aria-pressed") == "true"


async def test_events_are_marks_and_a_list(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        await page.locator(".journal li", has_text="开始共享屏幕").locator("button").click()
        await until(page, f"clock === 3 && {SETTLED}")
        current = page.locator(".journal li:has([data-current])")
        assert "开始共享屏幕" in await current.inner_text()
        await page.locator(".mark[data-kind=note]").click()
        await until(page, "clock === 4.5")
        assert (
            await page.locator(".mark[data-kind=note]").get_attribute("data-label")
            == "0:04 李华记录：营运证在有效期内"
        )
        await page.locator(".journal button").first.click()  # before anything was recorded
        await until(page, "clock === 0")
        assert await page.locator(".lane .gap").count() == 1


async def test_one_that_buffers_holds_all(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        await page.locator("[data-play]").click()
        await until(page, "clock > 1.5")
        # What a stalled download looks like to the page: the element's own state, for as long as we say.
        await page.evaluate(
            """() => {
              const video = document.querySelector("figure[data-part=p-agent] video");
              const value = HTMLMediaElement.HAVE_CURRENT_DATA;
              Object.defineProperty(video, "readyState", {configurable: true, value});
            }"""
        )
        await page.locator("[data-held]:visible").wait_for()
        await until(page, "Object.values(feeds).every((feed) => feed.paused)")
        stopped = await page.evaluate(CLOCK)
        await page.evaluate(
            """() => { delete document.querySelector("figure[data-part=p-agent] video").readyState }"""
        )
        await until(page, f"clock > {stopped} + 0.5")
        assert await page.locator("[data-held]").is_hidden()
        found = await feeds(page)
        assert abs(found["p-agent"]["at"] - found["p-resident"]["at"]) < IN_STEP_S


async def test_a_part_that_was_never_sealed(browser: Browser, hall: Office) -> None:
    """A killed node: no duration, no index, and a file that ends earlier than the call."""
    hall_call = summary("c-killed", START, answered_at=START + 1, ended_at=START + 9)
    await hall.store.ledger.write([], hall_call)
    for id, who, seconds in (("k1", RESIDENT, 6.0), ("k2", AGENT, 9.0)):
        opened = part(id, 0.0, ParticipantId(who), call=hall_call.id, kind=MediaKind.CAMERA)
        write_webm(hall.recordings / opened.path, seconds, live=True)
        await hall.store.ledger.part_opened(opened)
    async with watching(browser, hall, hall_call.id) as page:
        await seek_to(page, 4.0)
        await until(page, SETTLED)
        assert all(abs(feed["at"] - 4.0) < IN_STEP_S for feed in (await feeds(page)).values())
        await page.locator("[data-rate='2']").click()
        await page.locator("[data-play]").click()
        await until(page, "clock >= 9 && Object.values(feeds).every((feed) => feed.paused)")


async def test_a_picture_in_h264_is_played_beside_one_in_vp8(browser: Browser, hall: Office) -> None:
    """H.264 is recorded in Matroska, which Chromium plays too."""
    mixed = summary("c-mixed", START, answered_at=START, ended_at=START + 3)
    await hall.store.ledger.write([], mixed)
    for id, who, suffix in (("m-agent", AGENT, "webm"), ("m-resident", RESIDENT, "mkv")):
        path = f"2026-11-18/{mixed.id}/{id}.{suffix}"
        opened = part(id, 0.0, who, call=mixed.id, path=path)
        write_webm(hall.recordings / path, 3.0, size=(160, 120))
        await hall.store.ledger.part_opened(opened)
        await seal(hall.store, hall.recordings, opened, 3.0)
    async with watching(browser, hall, mixed.id) as page:
        answer = await page.request.get("/manager/recordings/m-resident")
        assert answer.headers["content-type"] == "video/matroska"
        await seek_to(page, 1.5)
        await until(page, SETTLED)
        assert all(abs(feed["at"] - 1.5) < IN_STEP_S for feed in (await feeds(page)).values())
        await page.locator("[data-play]").click()
        await until(page, "clock >= 2.9 && Object.values(feeds).every((feed) => feed.paused)")


async def test_both_are_seen_from_the_start_though_one_came_a_moment_later(
    browser: Browser, hall: Office
) -> None:
    later = summary("c-later", START, answered_at=START, ended_at=START + 3)
    await hall.store.ledger.write([], later)
    for id, at, who in (("l-agent", 0.0, AGENT), ("l-resident", 0.04, RESIDENT)):
        opened = part(id, at, who, call=later.id)
        write_webm(hall.recordings / opened.path, 3.0, size=(160, 120))
        await hall.store.ledger.part_opened(opened)
    async with watching(browser, hall, later.id) as page:
        assert [feed["shown"] for feed in (await feeds(page)).values()] == [True, True]


async def test_a_connection_made_anew_many_times(browser: Browser, hall: Office) -> None:
    """More files than a browser has connections; each is there when its time comes."""
    often = summary("c-often", START, answered_at=START, ended_at=START + 12)
    await hall.store.ledger.write([], often)
    for number in range(8):
        for who in (RESIDENT, AGENT):
            opened = part(f"o{number}{who}", number * 1.5, who, call=often.id)
            write_webm(hall.recordings / opened.path, 1.5, size=(160, 120))
            await hall.store.ledger.part_opened(opened)
    async with watching(browser, hall, often.id) as page:
        await seek_to(page, 9.75)
        await until(page, f"Math.abs(feeds['o6{AGENT}'].at - clock) < 0.1 && feeds['o6{AGENT}'].ready >= 3")
        await seek_to(page, 0.0)
        await page.locator("[data-rate='2']").click()
        await page.locator("[data-play]").click()
        for number in range(1, 8):
            await until(page, f"feeds['o{number}{AGENT}'].shown && !feeds['o{number}{AGENT}'].paused")
            assert not (await feeds(page))[f"o{number - 1}{AGENT}"]["shown"]


async def test_a_file_that_is_gone_is_told_and_holds_nobody(browser: Browser, hall: Office) -> None:
    lost = summary("c-lost", START, ended_at=START + 3)
    await hall.store.ledger.write([], lost)
    kept = part("l1", 0.0, call=lost.id)
    write_webm(hall.recordings / kept.path, 3.0)
    for opened in (kept, part("l2", 0.0, AGENT, call=lost.id)):
        await hall.store.ledger.part_opened(opened)
    context = await browser.new_context(base_url=hall.url)
    await context.add_cookies([{"name": "account", "value": "wangmin", "url": hall.url}])
    page = await context.new_page()
    await page.request.post(f"/manager/calls/{lost.id}/open", form={"purpose": "fault"})
    await page.goto(f"/manager/calls/{lost.id}")
    await page.locator("figure[data-part=l2] [data-broken]:visible").wait_for()
    await page.locator("[data-play]").click()
    await until(page, "clock > 1")
    await context.close()


RULES = """async () => {
  const {clock, commonDrift, correction, isOn} = await import("/static/js/manager/timeline.js");
  const part = {offset: 2, duration: 3};
  return {
    clock: [0, 7.9, 754, 3723, -0.4, -12].map(clock),
    drift: [[], [0.1, 0.1], [0.1, -0.1], [0.2, 9]].map(commonDrift),
    correction: [0.01, -0.3, 0.04, 0.6, -7].map((drift) => correction(drift, 1)),
    on: [1.9, 2, 4.9, 5].map((at) => isOn(part, at)),
  };
}"""


async def test_the_rules_of_the_clock(browser: Browser, hall: Office) -> None:
    async with watching(browser, hall) as page:
        found = await page.evaluate(RULES)
    assert found["clock"] == ["0:00", "0:07", "12:34", "1:02:03", "0:00", "-0:12"]
    assert found["drift"] == pytest.approx([0, 0.1, 0, 0.2])
    assert [rule["seek"] for rule in found["correction"]] == [False, False, False, True, True]
    assert [rule["rate"] for rule in found["correction"]] == pytest.approx([1, 1.08, 0.96, 1, 1])
    assert found["on"] == [False, True, True, False]
