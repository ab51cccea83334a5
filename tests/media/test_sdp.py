import contextlib
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.protocol import Mid
from media.sdp import (
    AUDIO,
    START_KBPS,
    UPSTREAM,
    BadAnswer,
    Local,
    Ssrcs,
    offer,
    parse_answer,
)
from tests.media.browser import pages

FINGERPRINT = ":".join(["AB"] * 32)
LOCAL = Local(
    session=7,
    ufrag="abcd",
    password="p" * 22,
    fingerprint=FINGERPRINT,
    candidates=("1 1 udp 2130706431 192.0.2.1 40000 typ host",),
    ssrcs={mid: Ssrcs(100 + n, None if mid in AUDIO else 200 + n) for n, mid in enumerate(Mid)},
)


SOUND, PICTURES = "63 111", "96 97 102 103 98 99 45 46"


def answer() -> str:
    """A right answer, made from the offer as a browser would."""
    lines = []
    mid = ""
    for line in offer(LOCAL).split("\r\n"):
        if line.startswith("a=mid:"):
            mid = line[6:]
        if line == "a=setup:actpass":
            line = "a=setup:active"
        elif line in ("a=sendrecv", "a=sendonly"):
            line = "a=sendrecv" if mid in UPSTREAM else "a=recvonly"
        elif line.startswith(("a=ssrc", "a=msid:")) and mid not in UPSTREAM:
            continue
        lines.append(line)
    return "\r\n".join(lines)


def test_the_offer_has_the_fixed_lines_in_order() -> None:
    text = offer(LOCAL)
    assert re.findall(r"a=mid:(\S+)", text) == [
        "mic",
        "camera",
        "share",
        "audio2",
        "video2",
        "audio3",
        "video3",
    ]
    assert re.findall(r"m=(\w+) \d+ \S+ (.*?)\r", text) == [
        ("audio", SOUND) if mid in AUDIO else ("video", PICTURES) for mid in Mid
    ]
    assert re.findall(r"a=(sendrecv|sendonly)", text) == ["sendrecv"] * 3 + ["sendonly"] * 4
    assert text.count("a=candidate:") == 1
    assert text.count("a=rtcp-rsize\r\n") == len(Mid)  # feedback goes without a report before it
    assert len(re.findall(r"a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r", text)) == len(Mid)
    assert len(re.findall(r"a=extmap:3 \S+transport-wide-cc-extensions-01\r", text)) == len(Mid)
    streams = {mid: stream for stream, mid in re.findall(r"a=msid:(\S+) (\S+)", text)}
    assert streams["mic"] == streams["camera"]
    assert streams["share"] not in {stream for mid, stream in streams.items() if mid != "share"}


def test_every_codec_is_offered_with_what_it_is_and_what_is_fed_back() -> None:
    _, mic, camera, *_ = re.split(r"(?=m=)", offer(LOCAL))
    assert re.findall(r"a=(?:rtpmap|fmtp|rtcp-fb):.*(?=\r)", mic) == [
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=rtcp-fb:111 nack",
        "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1",
    ]
    feedback = ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"]
    for number, name, rtx in ((96, "VP8", 97), (102, "H264", 103), (98, "VP9", 99), (45, "AV1", 46)):
        assert f"a=rtpmap:{number} {name}/90000\r" in camera
        assert f"a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={number}\r" in camera
        assert re.findall(rf"a=rtcp-fb:{number} (.*)\r", camera) == feedback
        parameters = re.search(rf"a=fmtp:{number} (.*)\r", camera)
        assert parameters is not None
        assert parameters[1].split(";")[-1] == f"x-google-start-bitrate={START_KBPS}"
    h264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
    assert f"a=fmtp:102 {h264};x-google-start-bitrate=" in camera


def test_all_addresses_are_offered_once() -> None:
    candidates = (
        "1 1 udp 2130706431 192.0.2.1 40000 typ host",
        "2 1 udp 2130706175 2001:db8::1 40000 typ host",
        "3 1 udp 1694498815 198.51.100.1 40000 typ srflx raddr 192.0.2.1 rport 40000",
    )
    text = offer(replace(LOCAL, candidates=candidates))
    assert tuple(re.findall(r"a=candidate:(.*)\r", text)) == candidates
    assert text.count("a=end-of-candidates\r\n") == 1


def test_an_ice_restart_changes_the_version_and_the_credentials_and_nothing_else() -> None:
    first = offer(LOCAL)
    again = offer(replace(LOCAL, version=2, ufrag="efgh", password="q" * 22))
    assert "o=- 7 1 IN" in first
    assert "o=- 7 2 IN" in again
    back = again.replace("o=- 7 2 ", "o=- 7 1 ").replace("efgh", "abcd").replace("q" * 22, "p" * 22)
    assert back == first


def test_a_right_answer_is_understood() -> None:
    found = parse_answer(answer())
    assert (found.remote.ufrag, found.remote.password) == ("abcd", "p" * 22)
    assert found.remote.fingerprints == (("sha-256", FINGERPRINT),)
    assert found.ssrcs == {mid: LOCAL.ssrcs[mid] for mid in UPSTREAM}
    assert found.codecs == {
        mid: frozenset(map(int, (SOUND if mid in AUDIO else PICTURES).split())) for mid in Mid
    }


def test_ssrcs_may_be_left_to_the_mid_extension() -> None:
    assert parse_answer(re.sub(r"a=ssrc.*\r\n", "", answer())).ssrcs == {}


def without(text: str, *payload_types: int) -> str:
    """An answer that does not take these."""
    for number in payload_types:
        text = re.sub(rf"a=(rtpmap|fmtp|rtcp-fb):{number} .*\r\n", "", text)
        text = re.sub(rf"(m=.*SAVPF.*) {number}\b", r"\1", text)
    return text


def test_without_rtx_is_right_too() -> None:
    found = parse_answer(without(answer(), 97))
    assert found.ssrcs[Mid.CAMERA].media == 101
    assert found.codecs[Mid.CAMERA] == {96, 98, 99, 102, 103, 45, 46}


def test_what_the_browser_leaves_out_is_known_for_each_line() -> None:
    text = without(answer(), 63, 45, 46, 103)
    found = parse_answer(text)
    assert found.codecs[Mid.MIC] == {111}
    assert found.codecs[Mid.CAMERA] == {96, 97, 102, 98, 99}
    sections = re.split(r"(?=m=)", answer())
    sections[2] = without(sections[2], 98, 99)
    found = parse_answer("".join(sections))
    assert found.codecs[Mid.CAMERA] == {96, 97, 102, 103, 45, 46}
    assert found.codecs[Mid.SHARE] == {96, 97, 98, 99, 102, 103, 45, 46}


def test_the_browser_may_order_and_spell_as_it_likes() -> None:
    text = answer().replace(PICTURES, "45 46 98 99 97 96 103 102").replace(SOUND, "63 111")
    text = text.replace("VP8/90000", "vp8/90000").replace("opus/48000", "OPUS/48000")
    text = text.replace("usedtx=1", "stereo=1").replace("42e01f", "42e034")
    text = text.replace(
        "a=rtpmap:45 AV1/90000", "a=rtpmap:45 AV1/90000\r\na=fmtp:45 level-idx=5;profile=0;tier=0"
    )
    text = re.sub(r"a=fmtp:98 .*\r\n", "", text)
    assert parse_answer(text).codecs == parse_answer(answer()).codecs


@pytest.mark.e2e
async def test_chromium_takes_everything_and_keeps_it_over_an_ice_restart() -> None:
    again = replace(LOCAL, version=2, ufrag="efgh", password="q" * 22)
    async with pages(1) as (page,):
        texts = [
            await page.evaluate("offer => peer.answer(offer, 'none')", offer(LOCAL)),
            await page.evaluate(
                """async (sdp) => {
                  await peer.pc.setRemoteDescription({ type: "offer", sdp });
                  await peer.pc.setLocalDescription(await peer.pc.createAnswer());
                  return peer.pc.localDescription.sdp;
                }""",
                offer(again),
            ),
        ]
    first, second = (parse_answer(text) for text in texts)
    for mid, taken in first.codecs.items():
        assert taken == frozenset(map(int, (SOUND if mid in AUDIO else PICTURES).split()))
    assert set(first.ssrcs) == set(UPSTREAM)
    assert (first.ssrcs, first.codecs) == (second.ssrcs, second.codecs)
    assert first.remote.fingerprints == second.remote.fingerprints
    assert first.remote.ufrag != second.remote.ufrag


WRONG: dict[str, Callable[[str], str]] = {
    "empty": lambda a: "",
    "no version": lambda a: a[5:],
    "torn line": lambda a: a + "\r\nz",
    "too long": lambda a: a + "\r\na=x:" + "y" * 40_000,
    "other mid": lambda a: a.replace("a=mid:share", "a=mid:screen"),
    "mids swapped": lambda a: (
        a.replace("a=mid:mic", "a=mid:m")
        .replace("a=mid:camera", "a=mid:mic")
        .replace("a=mid:m\r", "a=mid:camera\r")
    ),
    "one m-line more": lambda a: a + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:extra\r\n",
    "no bundle": lambda a: re.sub(r"a=group:.*\r\n", "", a),
    "left out of the bundle": lambda a: a.replace("BUNDLE mic ", "BUNDLE "),
    "rejected": lambda a: a.replace("m=video 9", "m=video 0", 1),
    "audio for video": lambda a: a.replace("m=video", "m=audio", 1),
    "plain RTP": lambda a: a.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP", 1),
    "foreign payload type": lambda a: a.replace("SAVPF 96 97", "SAVPF 96 100", 1),
    "no VP8, but its RTX": lambda a: a.replace("SAVPF 96 97", "SAVPF 97", 1),
    "foreign codec": lambda a: a.replace("VP8/90000", "H264/90000", 1),
    "no rtpmap": lambda a: a.replace("a=rtpmap:111 opus/48000/2\r\n", "", 1),
    "no rtcp-mux": lambda a: a.replace("a=rtcp-mux\r\n", "", 1),
    "sends where it may only receive": lambda a: a.replace("a=recvonly", "a=sendrecv", 1),
    "foreign extension": lambda a: a.replace("a=extmap:3 ", "a=extmap:5 ", 1),
    "other extension on our id": lambda a: a.replace(
        "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:1 urn:3gpp:video-orientation", 1
    ),
    "no ufrag": lambda a: re.sub(r"a=ice-ufrag.*\r\n", "", a),
    "short password": lambda a: a.replace("p" * 22, "p" * 21),
    "no fingerprint": lambda a: re.sub(r"a=fingerprint.*\r\n", "", a),
    "short fingerprint": lambda a: a.replace(FINGERPRINT, FINGERPRINT[:-3]),
    "weak hash": lambda a: a.replace("sha-256", "sha-1"),
    "actpass": lambda a: a.replace("a=setup:active", "a=setup:actpass"),
    "passive": lambda a: a.replace("a=setup:active", "a=setup:passive"),
    "ssrc is no number": lambda a: a.replace("a=ssrc:100", "a=ssrc:ten"),
    "ssrc too large": lambda a: a.replace("a=ssrc:100", f"a=ssrc:{1 << 32}"),
    "ssrc of two streams": lambda a: a.replace("a=ssrc:100", "a=ssrc:101", 1),
}
WRONG_CODECS: dict[str, tuple[Callable[[str], str], str]] = {
    "no VP8": (lambda a: without(a, 96, 97), "VP8 is missing"),
    "no Opus": (lambda a: without(a, 111), "opus is missing"),
    "RTX of what is not taken": (lambda a: without(a, 102), "retransmission of H264"),
    "RTX of another": (lambda a: a.replace("apt=96", "apt=98", 1), "rtx/90000 as 97 is not apt=96"),
    "RTX of nothing": (lambda a: a.replace("a=fmtp:97 apt=96\r\n", "", 1), "rtx/90000 as 97"),
    "payload types swapped": (lambda a: a.replace("VP9", "VP0").replace("AV1", "VP9"), "not VP9"),
    "other H264": (
        lambda a: a.replace("packetization-mode=1", "packetization-mode=0", 1),
        "H264/90000 as 102",
    ),
    "any H264": (lambda a: re.sub(r"a=fmtp:102 .*\r\n", "", a), "H264/90000 as 102"),
    "other VP9": (lambda a: a.replace("profile-id=0", "profile-id=2", 1), "VP9/90000 as 98"),
    "mono": (lambda a: a.replace("opus/48000/2", "opus/48000", 1), "not opus/48000/2"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_refused_with_a_reason(name: str) -> None:
    wrong = WRONG[name](answer())
    assert wrong != answer()
    with pytest.raises(BadAnswer) as refused:
        parse_answer(wrong)
    assert str(refused.value)


@pytest.mark.parametrize("name", WRONG_CODECS)
def test_an_answer_with_other_codecs_is_refused_with_a_reason(name: str) -> None:
    change, reason = WRONG_CODECS[name]
    with pytest.raises(BadAnswer, match=reason):
        parse_answer(change(answer()))


@given(st.text(max_size=200), st.integers(0, 3000), st.integers(0, 200))
def test_a_mangled_answer_is_understood_or_refused(noise: str, at: int, cut: int) -> None:
    good = answer()
    for mangled in (noise, good[:at] + noise + good[at + cut :]):
        with contextlib.suppress(BadAnswer):
            parse_answer(mangled)
