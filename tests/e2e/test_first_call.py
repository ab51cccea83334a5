"""The first call: from the tap at the station to the audited recording."""

from itertools import pairwise

import pytest
from playwright.async_api import Page, expect

from tests.e2e import evidence, pattern
from tests.e2e.conftest import Hall
from tests.e2e.people import (
    AGENT,
    FORM,
    FORM_TITLE,
    RESIDENT,
    WITHIN_MS,
    AgentAtConsole,
    ManagerAtDesk,
    Resident,
    end_call,
    wrap_up,
)

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

LASTS_S = 5.0
COLOURS_JS = """
(video) => {
  if (!video.videoWidth) return null;
  const canvas = document.createElement("canvas");
  canvas.width = 64; canvas.height = 64;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, 64, 64);
  return [16, 48].map((y) => [...pen.getImageData(32, y, 1, 1).data.slice(0, 3)]);
}
"""


async def test_from_the_tap_to_the_audited_recording(hall: Hall) -> None:
    service = hall.service
    agent = await AgentAtConsole.signed_in(service, hall.staff, "agent1")
    resident = await Resident.at_station(service, hall.stations)

    await resident.calls_about("dlpt", "道路普通货物")
    await expect(agent.page.get_by_test_id("ring")).to_contain_text("道路普通货物运输车辆年度审验")
    await agent.act("accept")
    await resident.is_in_call()
    await resident.sees_moving(resident.PICTURE, AGENT)
    await agent.sees_moving(agent.PICTURE, RESIDENT)
    assert await resident.hears() == pytest.approx(pattern.TONES[AGENT], abs=15)
    assert await agent.hears() == pytest.approx(pattern.TONES[RESIDENT], abs=15)
    await expect(resident.page.locator(".who")).to_contain_text("周敏")

    form = await agent.context.new_page()
    await form.set_content(FORM)
    await agent.page.bring_to_front()
    await agent.act("share")
    await _shows_form(resident.page, resident.SHEET)
    await resident.sees_moving(resident.PICTURE, AGENT)
    await agent.act("share")
    await expect(resident.page.locator(resident.SHEET)).to_have_count(0)

    await agent.notes("居民带齐了行驶证")
    await resident.page.wait_for_timeout(LASTS_S * 1000)  # a call has a length; this is not for luck
    await end_call(resident)
    await expect(agent.page.get_by_test_id("wrap-up")).to_be_visible()
    await wrap_up(agent, key="1")
    await resident.page.locator(".mood-5").click()
    await expect(resident.page.get_by_text("谢谢").first).to_be_visible()
    await resident.page.get_by_role("button", name="首页").first.click()
    await expect(resident.page.locator(".welcome")).to_be_visible()

    call = evidence.latest_call(service)
    await evidence.until(lambda: len(evidence.sealed_parts(service, call["id"])) == 3, "three sealed parts")
    _check_story(hall, call["id"])
    _check_recordings(hall, call["id"])
    await _manager_watches(hall, call["id"])
    assert [resident.faults, agent.faults] == [[], []]
    await agent.context.close()
    await resident.context.close()


async def _shows_form(page: Page, video: str) -> None:
    """The known form: green above, red below."""
    await expect(page.locator(video)).to_be_visible()
    for _ in range(100):
        seen = await page.locator(video).evaluate(COLOURS_JS)
        if seen and _is_form(tuple(seen[0]), tuple(seen[1])):
            return
        await page.wait_for_timeout(100)
    raise AssertionError(f"the form {FORM_TITLE} is not seen: {seen}")


def _is_form(top: tuple[int, ...], bottom: tuple[int, ...]) -> bool:
    return top[1] > 150 > top[0] and bottom[0] > 150 > bottom[1]


def _check_story(hall: Hall, call: str) -> None:
    found = evidence.journal(hall.service, call)
    told = ["requested", "ring", "answered", "connected", "share_started", "share_stopped", "note", "ended"]
    assert [kind for kind in found if kind in told] == told
    assert {"wrapped_up", "rated"} <= set(found)
    row = evidence.rows(hall.service, "SELECT * FROM calls WHERE id = ?", call)[0]
    assert (row["end_reason"], row["outcome"], row["agent"], row["stars"]) == (
        "completed_by_resident",
        "resolved",
        "agent1",
        5,
    )


def _check_recordings(hall: Hall, call: str) -> None:
    row = evidence.rows(hall.service, "SELECT * FROM calls WHERE id = ?", call)[0]
    talk = row["ended_at"] - row["answered_at"]
    by_role = {(p["role"], p["kind"]): p for p in evidence.parts(hall.service, call)}
    for role, who in (("resident", RESIDENT), ("agent", AGENT)):
        part = by_role[role, "camera"]
        seen = evidence.watch(hall.service.recordings / part["path"], who)
        late = part["started_at"] - row["answered_at"]
        assert seen.first_is_key
        assert late + seen.duration == pytest.approx(talk, abs=0.3), (role, late, seen.duration, talk)
        assert part["duration"] == pytest.approx(seen.duration, abs=0.1)
        assert len(seen.numbers) > 0.9 * seen.frames > 15 * seen.duration
        assert seen.tone == pytest.approx(pattern.TONES[who], abs=5)
        assert seen.sound_from < 0.2
        _check_frames(seen.numbers)
    share = by_role["agent", "share"]
    assert _is_form(*evidence.colours(hall.service.recordings / share["path"]))
    assert evidence.codec(hall.service.recordings / share["path"]) == "av1"  # as both take it


def _check_frames(numbers: list[tuple[float, int]]) -> None:
    """The pattern's own numbers go up, frame by frame (the camera loops, and a busy browser drops a few)."""
    steps = [(after - before) % pattern.FRAMES for (_, before), (_, after) in pairwise(numbers)]
    assert all(0 <= step < 30 for step in steps), "the picture jumps"
    assert sum(step - 1 for step in steps if step > 1) < 0.2 * len(steps), "too many frames are missing"
    assert all(after > before for (before, _), (after, _) in pairwise(numbers)), "time runs backwards"


async def _manager_watches(hall: Hall, call: str) -> None:
    service = hall.service
    manager = await ManagerAtDesk.signed_in(service, hall.staff)
    part = evidence.parts(service, call)[0]["id"]
    refused = await manager.page.request.get(f"{service.origin}/manager/recordings/{part}")
    assert refused.status == 403
    await manager.page.goto("/manager/calls")
    await manager.page.locator(f"a[href='/manager/calls/{call}']").first.click()
    await manager.page.locator("input[name=purpose]").first.check()
    await manager.page.locator("form[action$='/open'] button").click()
    videos = manager.page.locator("[data-part] video")
    await expect(videos).to_have_count(3)
    audit = evidence.rows(service, "SELECT * FROM audit WHERE object = ?", f"call:{call}")
    assert [line["actor"] for line in audit] == ["manager"]
    await manager.reads("[data-part] video", RESIDENT)
    await manager.reads("[data-part] video", AGENT)
    await manager.page.locator("[data-play]").click()
    await _plays(manager.page)
    assert manager.faults == []
    await manager.context.close()


async def _plays(page: Page) -> None:
    """Two videos of the player run, and show the same moment of the call."""
    await page.wait_for_function(PLAYING_JS, timeout=WITHIN_MS)


PLAYING_JS = """() => {
  const videos = [...document.querySelectorAll("[data-part] video")];
  return videos.filter((video) => video.currentTime > 1 && video.readyState >= 2).length >= 2;
}"""
