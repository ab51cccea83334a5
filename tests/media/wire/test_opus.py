import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.opus import MAX_SAMPLES, SILENCE, samples


def encoded(frame_ms: str, application: str = "voip") -> list[bytes]:
    """Two seconds of speech-like noise, then two of digital silence."""
    codec = av.CodecContext.create("libopus", "w")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout, codec.format = 48_000, "mono", "s16"
    codec.bit_rate = 24_000
    codec.options = {"frame_duration": frame_ms, "application": application}
    codec.open()
    size = codec.frame_size
    noise = (np.random.default_rng(1).normal(0, 3000, 96_000)).astype(np.int16)
    wave = np.concatenate([noise, np.zeros(96_000, np.int16)])
    packets = []
    for at in range(0, len(wave) - size + 1, size):
        frame = av.AudioFrame.from_ndarray(wave[at : at + size].reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, at
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


@pytest.mark.parametrize("frame_ms", ["2.5", "5", "10", "20", "40", "60", "120"])
@pytest.mark.parametrize("application", ["voip", "audio", "lowdelay"])
def test_a_packet_says_how_long_it_is(frame_ms: str, application: str) -> None:
    packets = encoded(frame_ms, application)
    assert len(packets) > 20
    assert {samples(packet) for packet in packets} == {int(float(frame_ms) * 48)}


def test_silence_is_20_ms_and_decodes() -> None:
    assert samples(SILENCE) == 960
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = 48_000, "mono"
    (frame,) = decoder.decode(av.Packet(SILENCE))
    assert frame.samples == 960
    assert not frame.to_ndarray().any()


@pytest.mark.parametrize("packet", [b"\x78", b"\x78\x00", b"\x08"])
def test_packets_that_say_no_more_than_silence_have_a_length(packet: bytes) -> None:
    assert samples(packet) == 960


@pytest.mark.parametrize("payload", [b"", b"\x03", b"\x03\x00", b"\x1b\x03"])
def test_what_has_no_length_or_too_much_of_it_is_none(payload: bytes) -> None:
    assert samples(payload) == 0


@given(st.binary(max_size=5))
def test_whatever_the_bytes_are_there_is_an_answer(payload: bytes) -> None:
    assert 0 <= samples(payload) <= MAX_SAMPLES
