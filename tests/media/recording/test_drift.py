"""An hour with clocks that run apart, in simulated time; where the frames lie is read back by PyAV."""

import heapq
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from media.codecs import OPUS, VP8
from media.protocol import Source
from records.model import MediaKind
from tests.media.recording.sender import Sender

HOUR = 3600
KEY = b"\x10\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01"
DELTA = b"\x10\x11\x02\x00"
TALK = bytes.fromhex("78")  # 20 ms of SILK and CELT


def events(audio_ppm: float, ntp_ppm: float, quiet: bool) -> Iterator[tuple[float, str, int, float]]:
    """(arrival, what, number, true time of capture), in order of arrival; all on the node's clock.

    ``audio_ppm``: the sender's sound card against its system clock; ``ntp_ppm``: that against the node's."""
    chance = random.Random(7)
    system = 1 + ntp_ppm / 1e6
    card = system * (1 + audio_ppm / 1e6)
    sound = ((n * 0.02 / card, "sound", n) for n in range(HOUR * 50))
    if quiet:  # DTX: two seconds of every five, but for a packet every 400 ms
        sound = (e for e in sound if e[2] % 250 < 150 or e[2] % 20 == 0)
    pictures = ((n / 10 / system, "picture", n) for n in range(HOUR * 10))
    reports = (((4 * n + 1) / system, "report", n) for n in range(HOUR // 4))
    waiting: list[tuple[float, str, int, float]] = []
    last: dict[str, float] = {}
    for at, kind, number in heapq.merge(sound, pictures, reports):
        way = 0.03 + chance.expovariate(200) + (0.04 if kind == "picture" else 0.0)
        last[kind] = max(last.get(kind, 0.0), at + way)
        heapq.heappush(waiting, (last[kind], kind, number, at))
        while waiting and waiting[0][0] < at:
            yield heapq.heappop(waiting)
    while waiting:
        yield heapq.heappop(waiting)


def play(sender: Sender, audio_ppm: float, ntp_ppm: float, quiet: bool) -> dict[str, dict[int, float]]:
    """Everything into the recorder. When each frame was captured, by its number."""
    chance = random.Random(8)
    card, truth = 1 + audio_ppm / 1e6, dict[str, dict[int, float]](sound={}, picture={})
    system, ticked = 1 + ntp_ppm / 1e6, 0.0
    for arrived, kind, number, at in events(audio_ppm, ntp_ppm, quiet):
        if kind == "sound":
            truth[kind][number] = at
            payload = TALK + number.to_bytes(4, "big") + bytes(chance.randrange(20, 120))
            stamp = sender.mic_base + 960 * number
            seq = len(truth[kind])
            packet = sender.made(Source.MIC, seq, payload, stamp, True, arrived, OPUS)
            sender.give(Source.MIC, packet)
        elif kind == "picture":
            truth[kind][number] = at
            payload = (KEY if number % 100 == 0 else DELTA) + number.to_bytes(4, "big")
            stamp = sender.camera_base + 9000 * number
            packet = sender.made(Source.CAMERA, number, payload, stamp, True, arrived, VP8)
            sender.give(Source.CAMERA, packet)
        else:
            ntp = at * system
            sender.report(Source.MIC, ntp, sender.mic_base + round(ntp * card * 48_000))
            sender.report(Source.CAMERA, ntp + 0.001, sender.camera_base + round((ntp + 0.001) * 90_000))
        if arrived - ticked > 0.1:
            ticked = arrived
            sender.recorder.tick(sender.start + arrived)
    return truth


def places(path: Path) -> dict[str, dict[int, float]]:
    """Where each frame lies in the file, seconds, by its number."""
    found = dict[str, dict[int, float]](sound={}, picture={})
    with av.open(str(path)) as container:
        for packet in container.demux():
            data = bytes(packet)
            if not packet.size or packet.pts is None:
                continue
            at = float(packet.pts * packet.time_base)
            if packet.stream.type == "audio" and data[:1] == TALK:
                found["sound"][int.from_bytes(data[1:5], "big")] = at + 0.0065  # the codec's delay
            elif packet.stream.type == "video":
                found["picture"][int.from_bytes(data[-4:], "big")] = at
    return found


@pytest.mark.parametrize(
    ("audio_ppm", "ntp_ppm", "quiet"), [(100, 100, False), (-100, -100, True), (100, -200, True)]
)
async def test_an_hour_with_drifting_clocks_stays_in_step(
    sender: Sender, audio_ppm: float, ntp_ppm: float, quiet: bool
) -> None:
    truth = play(sender, audio_ppm, ntp_ppm, quiet)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.gaps == ()
    found = places(path)
    assert len(found["picture"]) == len(truth["picture"])
    assert len(truth["sound"]) - len(found["sound"]) <= 80  # given up to keep step
    away = {kind: {number: at - truth[kind][number] for number, at in found[kind].items()} for kind in found}
    # On the node's clock, all the hour: so two participants' parts stay in step.
    for kind in away:
        middle = sorted(away[kind].values())[len(away[kind]) // 2]
        assert max(abs(a - middle) for a in away[kind].values()) < 0.08, kind
    # Lips: each picture against the sound that was captured with it.
    sound = sorted((truth["sound"][n], a) for n, a in away["sound"].items())
    offsets, position = [], 0
    for number in sorted(away["picture"]):
        captured = truth["picture"][number]
        while position + 1 < len(sound) and sound[position + 1][0] <= captured:
            position += 1
        offsets.append(away["picture"][number] - sound[position][1])
    settled = offsets[100:]
    assert max(map(abs, offsets)) < 0.08
    assert max(map(abs, settled)) < 0.03
    assert max(abs(b - a) for a, b in itertools.pairwise(offsets)) < 0.0125  # a step, and rounding


async def test_sound_in_the_file_is_exact_to_the_sample(sender: Sender) -> None:
    """Players count samples: what is between two timestamps must be there as sound."""
    from media.wire.opus import samples

    play_some = itertools.takewhile(lambda e: e[0] < 600, events(300, 0, True))
    seq = 0
    for arrived, kind, number, _ in play_some:
        if kind == "sound":
            seq += 1
            payload = TALK + number.to_bytes(4, "big")
            stamp = sender.mic_base + 960 * number
            sender.give(Source.MIC, sender.made(Source.MIC, seq, payload, stamp, True, arrived, OPUS))
            sender.recorder.tick(sender.start + arrived)
    path, _ = (await sender.seal())[MediaKind.CAMERA]
    counted, steps = 0, set()
    with av.open(str(path)) as container:
        for packet in container.demux(audio=0):
            if packet.size:
                assert packet.pts == pytest.approx(counted / 48 - 6.5, abs=1.01)
                counted += samples(bytes(packet))
                steps.add(samples(bytes(packet)))
    assert counted / 48_000 == pytest.approx(600, abs=0.1)
    assert steps == {960, 480}
