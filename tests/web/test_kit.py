"""The browser kit in a real browser: the socket's protocol, one media leg, the device key; and the words."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from playwright.async_api import Browser, Page

from signaling import messages
from tests.web.pages import Site, evaluated, opened
from tests.web.scripted import Scripted, refusal

in_browser = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ROOT / "web" / "static" / "text"
PRETEND_NODE = Path(__file__).with_name("pretend_node.js")

CONNECT = """async () => {
  const { Connection, socketUrl } = await import("/static/js/kit/protocol.js");
  window.states = [];
  window.got = [];
  window.connection = new Connection({
    url: socketUrl(location, "/ws/test"),
    hello: async () => ({}),
    onMessage: (message) => window.got.push(message.type),
    onState: (state, code) => window.states.push([state, code ?? null]),
  });
  window.connection.start();
}"""
PLACEHOLDER = re.compile(r"\{(\w+)\}")
COMMENT = re.compile(r"/\*\*.*?\*/", re.S)
USED = re.compile(r"""\bt\(\s*["']([\w.]+)["']""")


async def connected(page: Page, site: Site) -> Scripted:
    server = await Scripted.attach(page, "/ws/test", messages.agent_decoder)
    await page.goto("/blank")
    await page.evaluate(CONNECT)
    await server.greeted()
    return server


async def states(page: Page) -> list[list[str | int | None]]:
    found: list[list[str | int | None]] = await page.evaluate("window.states")
    return found


@in_browser
async def test_a_request_is_answered_or_refused_by_its_own_ref(browser: Browser, site: Site) -> None:
    async with opened(browser, site, width=400, height=300) as page:
        server = await connected(page, site)
        server.refuse["hang_up"] = refusal(messages.ErrorCode.UNKNOWN_CALL, "没有这个通话", "No such call")
        assert await page.evaluate("connection.request('ready', {call: 'c'}).then(() => 'done')") == "done"
        code = await page.evaluate("connection.request('hang_up', {call: 'c'}).catch((e) => e.code)")
        assert code == "unknown_call"
        assert [message.ref for message in server.heard[1:]] == [1, 2]


@in_browser
async def test_a_lost_socket_is_resumed_and_what_was_not_acknowledged_is_sent_again(
    browser: Browser, site: Site
) -> None:
    async with opened(browser, site, width=400, height=300) as page:
        server = await connected(page, site)
        server.silent = True
        await page.evaluate("() => { window.asked = connection.request('ready', {call: 'c'}); }")
        first = await server.asked(messages.Ready)
        server.silent = False
        await server.drop()
        again = await server.asked(messages.Ready, nth=2)
        assert again == first
        hello = await server.asked(messages.Hello, nth=2)
        assert (hello.resume, hello.seen) == ("token", 1)
        assert await page.evaluate("window.asked.then(() => 'done')") == "done"
        assert [state for state, _ in await states(page)] == ["connecting", "open", "lost", "open"]


@in_browser
async def test_a_new_session_gives_back_what_was_never_answered(browser: Browser, site: Site) -> None:
    async with opened(browser, site, width=400, height=300) as page:
        server = await connected(page, site)
        server.silent, server.resumable = True, False
        await page.evaluate("() => { window.asked = connection.request('ready', {call: 'c'}); }")
        await server.asked(messages.Ready)
        server.silent = False
        await server.drop()
        assert await page.evaluate("window.asked.catch((e) => e.code)") == "lost"


@in_browser
@pytest.mark.parametrize("code", [4001, 4003, 4006, 4007])
async def test_final_close_codes_end_the_connection(browser: Browser, site: Site, code: int) -> None:
    async with opened(browser, site, width=400, height=300) as page:
        server = await connected(page, site)
        await server.drop(code)
        await evaluated(page, f"states.at(-1)[1] === {code} && states.at(-1)[0] === 'closed'", "the end")
        assert (
            await page.evaluate("connection.request('ready', {call: 'c'}).catch((e) => e.code)") == "closed"
        )
        assert server.sockets == 1


@in_browser
async def test_messages_seen_before_are_dropped(browser: Browser, site: Site) -> None:
    async with opened(browser, site, width=400, height=300) as page:
        server = await connected(page, site)
        server.send(messages.TakenOver())
        server.repeat()
        server.send(refusal(messages.ErrorCode.TOO_FAST, "慢一点", "Slower, please"))
        await page.evaluate("connection.request('ready', {call: 'c'})")
        assert await page.evaluate("window.got") == ["welcome", "taken_over", "error"]


LEG = """async () => {
  window.made = [];
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...given) {
      super(...given);
      window.made.push(this);
    }
  };
  const { Leg, getLocalMedia } = await import("/static/js/kit/media.js");
  const media = await getLocalMedia({ width: 320, height: 240 });
  window.faults = media.faults;
  window.failed = [];
  window.restarts = [];
  window.answered = [];
  window.leg = new Leg({
    onAnswer: (generation, sdp, restart) => {
      window.answers = (window.answers ?? 0) + 1;
      window.answered.push([generation, restart]);
      void pretendNode.answer(sdp);
    },
    onRestart: (generation) => {
      window.restarts.push(generation);
      return window.deaf ? Promise.reject(new Error("lost")) : Promise.resolve();
    },
    onFailed: (generation) => window.failed.push(generation),
    onRemote: () => {},
  });
  await leg.setLocal("mic", media.mic);
  await leg.setLocal("camera", media.camera);
  const sdp = await pretendNode.offer();
  window.made = [];
  await leg.offer({ generation: 1, restart: 0, sdp, ice_servers: [] });
}"""


@in_browser
async def test_a_leg_answers_once_sends_and_receives_and_shares_without_negotiation(
    browser: Browser, site: Site
) -> None:
    async with opened(browser, site, width=400, height=300, clock=True) as page:
        await page.add_init_script(path=PRETEND_NODE)
        await page.goto("/blank")
        await page.evaluate(LEG)
        assert await page.evaluate("window.faults") == []
        await evaluated(
            page, "pretendNode.got().then((n) => n.mic > 20 && n.camera > 3)", "own sound and picture"
        )
        await evaluated(page, "leg.stats().then((s) => s.framesDecoded > 5)", "the other's picture")
        await page.evaluate("leg.setLocal('share', leg.local('camera').clone())")
        await evaluated(page, "pretendNode.got().then((n) => n.share > 2)", "the share")
        assert await page.evaluate("leg.remote('camera').muted") is False
        assert await page.evaluate("window.answers") == 1
        await page.evaluate("pretendNode.close()")
        await evaluated(page, "made[0].connectionState === 'disconnected'", "the way to be missed")
        await page.clock.run_for(1_500)
        await evaluated(page, "window.restarts.length === 1", "a restart to be asked for")
        await page.clock.run_for(4_000)
        await evaluated(
            page, "window.failed.length === 1 && window.failed[0] === 1", "the failure to be named"
        )


SEES = "leg.stats().then((s) => s.framesDecoded > (window.before ?? 5))"


@asynccontextmanager
async def connected_leg(browser: Browser, site: Site) -> AsyncIterator[Page]:
    async with opened(browser, site, width=400, height=300, clock=True) as page:
        await page.add_init_script(path=PRETEND_NODE)
        await page.goto("/blank")
        await page.evaluate(LEG)
        await evaluated(page, SEES, "the other's picture")
        yield page


@in_browser
async def test_on_another_network_the_same_connection_finds_a_new_way(browser: Browser, site: Site) -> None:
    async with connected_leg(browser, site) as page:
        await page.evaluate("dispatchEvent(new Event('online'))")
        assert await page.evaluate("window.restarts") == [1]
        ufrag = "made[0].remoteDescription.sdp.match(/ice-ufrag:(.*)/)[1]"
        before = await page.evaluate(ufrag)
        await page.evaluate(
            """async () => {
              const sdp = await pretendNode.restart();
              await leg.offer({ generation: 1, restart: 1, sdp, ice_servers: [] });
              await leg.offer({ generation: 1, restart: 1, sdp, ice_servers: [] });  // told twice
            }"""
        )
        assert await page.evaluate("window.answered") == [[1, 0], [1, 1]]
        assert await page.evaluate(ufrag) != before
        await page.evaluate("leg.stats().then((s) => { window.before = s.framesDecoded + 5; })")
        await evaluated(page, SEES, "the picture to go on")
        assert await page.evaluate("[made.length, leg.state, failed.length]") == [1, "connected", 0]
        await page.evaluate("dispatchEvent(new Event('online'))")
        assert await page.evaluate("window.restarts") == [1], "not so soon after the last one"
        await page.clock.run_for(2_000)
        await evaluated(page, "window.restarts.length === 2", "the next restart")


LOSES_ITS_WAY = """() => {
  for (const name of ["connectionState", "iceConnectionState"]) {
    Object.defineProperty(made[0], name, { get: () => "disconnected", configurable: true });
  }
  made[0].onconnectionstatechange();
}"""


@in_browser
@pytest.mark.parametrize("deaf", [False, True])
async def test_a_connection_without_a_way_asks_for_a_restart_and_then_for_another_connection(
    browser: Browser, site: Site, deaf: bool
) -> None:
    async with connected_leg(browser, site) as page:
        await page.evaluate(f"window.deaf = {str(deaf).lower()}")
        await page.evaluate(LOSES_ITS_WAY)
        assert await page.evaluate("window.restarts") == [], "it may come back by itself"
        await page.clock.run_for(1_500)
        await evaluated(page, "window.restarts.length === 1", "a restart to be asked for")
        await page.clock.run_for(4_000)  # from when the service heard of it
        await evaluated(page, "window.failed.length === 1 && window.failed[0] === 1", "another connection")
        assert await page.evaluate("window.restarts") == [1]


@in_browser
async def test_a_way_that_comes_back_by_itself_needs_nothing(browser: Browser, site: Site) -> None:
    async with connected_leg(browser, site) as page:
        await page.evaluate(LOSES_ITS_WAY)
        await page.evaluate(
            """() => {
              delete made[0].connectionState;
              delete made[0].iceConnectionState;
              made[0].onconnectionstatechange();
            }"""
        )
        await page.clock.run_for(2_000)  # longer than it would wait
        assert await page.evaluate("[restarts.length, failed.length]") == [0, 0]


@in_browser
async def test_the_restart_of_a_connection_that_this_page_never_had_asks_for_another(
    browser: Browser, site: Site
) -> None:
    async with connected_leg(browser, site) as page:
        await page.evaluate("leg.offer({ generation: 3, restart: 1, sdp: 'v=0', ice_servers: [] })")
        assert await page.evaluate("[window.failed, window.answered]") == [[3], [[1, 0]]]


@in_browser
async def test_a_missing_camera_leaves_the_microphone_usable(browser: Browser, site: Site) -> None:
    async with opened(browser, site, width=400, height=300) as page:
        await page.add_init_script(
            """const real = MediaDevices.prototype.getUserMedia;
            MediaDevices.prototype.getUserMedia = function (wanted) {
              if (wanted.video) return Promise.reject(new DOMException("", "NotFoundError"));
              return real.call(this, wanted);
            };"""
        )
        await page.goto("/blank")
        found = await page.evaluate(
            """async () => {
              const { getLocalMedia } = await import("/static/js/kit/media.js");
              const { mic, camera, faults } = await getLocalMedia();
              return [mic.kind, camera, faults];
            }"""
        )
        assert found == ["audio", None, [{"device": "camera", "name": "missing"}]]


@in_browser
async def test_the_device_key_signs_the_challenge_and_stays_inside(browser: Browser, site: Site) -> None:
    async with opened(browser, site, width=400, height=300) as page:
        site.json["/station/enrol"] = {"station": "station-1", "name": {"zh": "一号", "en": "One"}}
        await page.goto("/blank")
        hello = await page.evaluate(
            """async () => {
              const device = await import("/static/js/kit/device.js");
              const found = await device.enrol("ABCD-2345");
              const kept = await device.identity();
              return [found, kept, await device.stationHello("https://hall.example", "bm9uY2U")];
            }"""
        )
        assert hello[0] == hello[1] == {"station": "station-1", "name": {"zh": "一号", "en": "One"}}
        (path, body), said = site.posted[0], hello[2]
        assert (path, body["code"], said["station"]) == ("/station/enrol", "ABCD-2345", "station-1")
        key = Ed25519PublicKey.from_public_bytes(unpadded(body["public_key"]))
        key.verify(
            unpadded(said["signature"]), b"bangban-station-1\nhttps://hall.example\nstation-1\nbm9uY2U"
        )


def unpadded(text: str) -> bytes:
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def catalogues() -> list[str]:
    return sorted(path.name.removesuffix(".zh.json") for path in TEXTS.glob("*.zh.json"))


def texts(name: str, language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((TEXTS / f"{name}.{language}.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", catalogues())
def test_both_languages_say_the_same(name: str) -> None:
    zh, en = texts(name, "zh"), texts(name, "en")
    assert zh.keys() == en.keys()
    for key, text in zh.items():
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(en[key])), key
        assert text.strip(), key


def test_every_text_that_a_page_asks_for_is_there() -> None:
    """A page's folder may have a ``t`` of its own that adds its catalogue's name to the key."""
    known = {f"{name}.{key}" for name in catalogues() for key in texts(name, "zh")}
    scripts = ROOT / "web" / "static" / "js"
    asked = {
        (path.relative_to(scripts).parts[0], key)
        for path in scripts.rglob("*.js")
        for key in USED.findall(COMMENT.sub("", path.read_text("utf-8")))
    }
    unknown = {(page, key) for page, key in asked if not {key, f"{page}.{key}"} & known}
    assert unknown == set()


@pytest.mark.parametrize("script", ["vendor.py", "message_types.py"])
def test_generated_files_are_up_to_date(script: str) -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "deploy" / script, "--check"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
