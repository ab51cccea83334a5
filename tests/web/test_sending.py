"""How the pages send: rates, priorities, what gives way first, the codec of a screen, and the nudge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.web.pages import Site, evaluated, opened
from tests.web.test_kit import LEG, PRETEND_NODE

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARAMETERS = """(mid) => {
  const { sender } = made[0].getTransceivers().find((t) => t.mid === mid);
  const { encodings: [encoding], degradationPreference } = sender.getParameters();
  const { maxBitrate, priority, codec } = encoding;
  const hint = sender.track?.contentHint;
  return { maxBitrate, priority, degradationPreference, codec: codec?.mimeType, hint };
}"""
# The codec that the pictures of a share are really sent in, and how many arrived.
SHARED = """async () => {
  const stats = await made[0].getStats();
  const sent = [...stats.values()].find((s) => s.type === "outbound-rtp" && s.mid === "share");
  return [stats.get(sent?.codecId)?.mimeType, (await pretendNode.got()).share ?? 0];
}"""


@asynccontextmanager
async def leg(browser: Browser, site: Site, clock: bool = False) -> AsyncIterator[Page]:
    async with opened(browser, site, width=400, height=300, clock=clock) as page:
        await page.add_init_script(path=PRETEND_NODE)
        await page.goto("/blank")
        await page.evaluate(LEG)
        await evaluated(page, "pretendNode.got().then((n) => n.mic > 10 && n.camera > 3)", "the connection")
        yield page


async def parameters(page: Page, mid: str) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(PARAMETERS, mid)
    return found


async def shared_in(page: Page, codec: str) -> None:
    """Pictures in this codec arrive."""
    before: int | None = None
    for _ in range(400):
        mime, arrived = await page.evaluate(SHARED)
        if mime == f"video/{codec}":
            before = arrived if before is None else before
            if arrived > before + 2:
                return
    raise AssertionError(f"{arrived} pictures, in {mime}")


async def test_a_voice_comes_first_a_face_is_balanced_a_screen_is_sharp(browser: Browser, site: Site) -> None:
    async with leg(browser, site) as page:
        await page.evaluate("leg.setLocal('share', leg.local('camera').clone())")
        every = [await parameters(page, mid) for mid in ("mic", "camera", "share")]
        assert [each["priority"] for each in every] == ["high", "medium", "medium"]
        assert [each["maxBitrate"] for each in every] == [40_000, 2_500_000, 2_500_000]
        gives_way = [each["degradationPreference"] for each in every[1:]]
        assert gives_way == ["balanced", "maintain-resolution"]
        assert [each["hint"] for each in every] == ["speech", "motion", "detail"]


async def test_a_screen_goes_in_the_best_codec_that_is_named_and_changes_with_the_word(
    browser: Browser, site: Site
) -> None:
    async with leg(browser, site) as page:
        await page.evaluate("leg.shareIn(['VP9', 'AV1', 'VP8'])")
        await page.evaluate("leg.setLocal('share', leg.local('camera').clone())")
        await shared_in(page, "VP9")
        await page.evaluate("leg.shareIn(['AV1', 'VP8'])")
        await shared_in(page, "AV1")
        await page.evaluate("leg.shareIn(['VP8'])")
        await shared_in(page, "VP8")
        await page.evaluate("leg.shareIn(['NO-SUCH-CODEC', 'VP9'])")
        await shared_in(page, "VP9")
        assert (await parameters(page, "camera"))["codec"] is None
        assert (await parameters(page, "share"))["maxBitrate"] == 2_500_000
        assert await page.evaluate("window.answers") == 1


async def test_a_codec_that_the_browser_refuses_leaves_the_screen_in_vp8(
    browser: Browser, site: Site
) -> None:
    async with leg(browser, site) as page:
        await page.evaluate(
            """() => {
              const set = RTCRtpSender.prototype.setParameters;
              RTCRtpSender.prototype.setParameters = function (parameters) {
                const refused = new DOMException("", "OperationError");
                return parameters.encodings[0].codec ? Promise.reject(refused) : set.call(this, parameters);
              };
            }"""
        )
        await page.evaluate("leg.shareIn(['VP9', 'VP8'])")
        await page.evaluate("leg.setLocal('share', leg.local('camera').clone())")
        await shared_in(page, "VP8")


HELD_BACK = """async (entries) => {
  const { heldBack } = await import("/static/js/kit/nudge.js");
  return heldBack(entries);
}"""
PAIR = {"type": "candidate-pair", "nominated": True, "state": "succeeded", "availableOutgoingBitrate": 3e5}
CAMERA = {"type": "outbound-rtp", "mid": "camera", "qualityLimitationReason": "bandwidth"}
SHARE = {**CAMERA, "mid": "share"}
CONTENT = {**CAMERA, "qualityLimitationReason": "none"}
BUSY = {**CAMERA, "qualityLimitationReason": "cpu"}
WIDE = {**PAIR, "availableOutgoingBitrate": 2.5e6}


async def test_a_picture_is_held_back_when_the_line_is_thought_to_be_narrow(
    browser: Browser, site: Site
) -> None:
    async with opened(browser, site, width=400, height=300) as page:
        await page.goto("/blank")
        for entries, expected in [
            ([PAIR, CAMERA], {"source": "camera", "wide": False}),
            ([PAIR, CONTENT, SHARE], {"source": "share", "wide": False}),
            ([WIDE, CAMERA], {"source": "camera", "wide": True}),
            ([PAIR, CONTENT], None),
            ([PAIR, BUSY], None),
            ([CAMERA], None),  # not connected
            ([{**PAIR, "nominated": False}, CAMERA], None),
        ]:
            assert await page.evaluate(HELD_BACK, entries) == expected, entries


PRETENDED = """(entries) => {
  const { sender } = made[0].getTransceivers().find((t) => t.mid === "camera");
  made[0].getStats = async () => new Map(entries.map((entry, n) => [String(n), entry]));
  window.rates = [];
  window.gives = [];
  sender.setParameters = (parameters) => {
    rates.push(parameters.encodings[0].maxBitrate);
    gives.push(parameters.degradationPreference);
    return RTCRtpSender.prototype.setParameters.call(sender, parameters);
  };
}"""


LOOK_MS = 2_000  # of kit/nudge.js


@asynccontextmanager
async def stepped(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """A leg whose page's time stands still but for what the test lets pass."""
    async with leg(browser, site, clock=True) as page:
        await page.clock.pause_at(await page.evaluate("Date.now()") / 1000 + LOOK_MS / 1000)
        yield page


async def test_a_picture_that_is_held_back_is_nudged_until_it_is_not(browser: Browser, site: Site) -> None:
    async with stepped(browser, site) as page:
        await page.evaluate(PRETENDED, [PAIR, CAMERA])
        for expected in ([2_400_000], [2_400_000, 2_500_000], [2_400_000, 2_500_000, 2_400_000]):
            await page.clock.run_for(LOOK_MS)
            assert await page.evaluate("rates") == expected
        await page.evaluate(PRETENDED, [WIDE, CONTENT])
        await page.clock.run_for(2 * LOOK_MS)
        assert await page.evaluate("rates") == []
        await page.evaluate(PRETENDED, [PAIR, CAMERA])
        await page.evaluate("leg.close()")
        await page.clock.run_for(2 * LOOK_MS)
        assert await page.evaluate("rates") == []


async def test_a_camera_that_is_small_on_a_wide_line_is_enlarged_ever_more_rarely(
    browser: Browser, site: Site
) -> None:
    async with stepped(browser, site) as page:
        await page.evaluate(PRETENDED, [WIDE, CAMERA])
        for enlargements in (1, 1, 2):  # one look is passed over
            await page.clock.run_for(LOOK_MS)
            wanted = ["maintain-framerate", "balanced"] * enlargements
            await evaluated(page, f"gives.length >= {len(wanted)}", "an enlargement")
            assert await page.evaluate("gives") == wanted
        assert set(await page.evaluate("rates")) == {2_500_000}
