"""Pictures on the time line of a recording, from a key frame on; a fault freezes until the next one.

Where a picture belongs beside the sound is told by the two tracks' sender reports (RFC 3550, 6.4.1);
without sound, or before there are reports, by its arrival. The line moves there by a little with every
picture, so that nobody sees it.
"""

from media.path.packet import Packet, SenderReport, Track
from media.recording.audio_line import AudioLine
from media.recording.clock import Lateness
from media.recording.frames import Picture, Pictures
from media.recording.part import Part
from media.recording.reorder import Lost, Reorder
from media.recording.series import Series
from media.recording.webm import VideoFormat, doc_type_of
from media.wire.rtp import TS_MOD, extend

RATE = 90_000
KEY_FRAME_EVERY_S = 10.0  # so that a long recording can be sought in
# For one, libwebrtc throws away what still waits to be sent, and what was to be sent again never comes then.
_SELDOM_S = 60.0  # so they are asked for seldom where packets were missing ...
_LATELY_S = 5.0  # ... within this
_FLOWING_S = 1.0  # nobody answers a request while no pictures come
_ASTRAY_S = 3.0  # timestamps that differ from their arrival by more than this have jumped
_STALE_S = 30.0  # reports that are further apart say nothing
_FAR_S = 0.04  # beyond this the line moves by large steps
_LARGE_STEP_S, _SMALL_STEP_S = 0.01, 0.001  # with each picture
_NO_SIZE = (640, 480)


class VideoLine:
    """A sink of one track of pictures. Places are seconds since the epoch."""

    def __init__(self, parts: Series, track: Track, sound: AudioLine | None) -> None:
        self.last_report: SenderReport | None = None
        self._parts = parts
        self._track = track
        self._sound = sound
        self._order = Reorder()
        self._pictures = Pictures()
        self._part: Part | None = None  # that was written to last
        self._base: float | None = None  # place of RTP timestamp 0
        self._target = 0.0  # where the base ought to be
        self._synced_at = float("-inf")  # by reports; monotonic s
        self._lateness = Lateness()
        self._last = -1  # ms of the last picture written
        self._frozen_since: float | None = 0.0
        self._why = "no_key_frame"
        self._key_at: float | None = None
        self._seen_at = float("-inf")
        self._missed_at = float("-inf")  # when something was waited for

    # --- sink; written for speed up to the whole picture ---

    def packet(self, packet: Packet) -> None:
        order = self._order
        if packet.seq == order.next and not order.waiting:
            order.next += 1
            picture = self._pictures.push(packet)
            if picture is not None:
                self._write(picture)
            if self._pictures.broken:
                self._ask(packet.arrived)
        else:
            self._missed_at = packet.arrived
            order.push(packet)
            self.drain(packet.arrived)
            self._ask(packet.arrived)

    def report(self, report: SenderReport) -> None:
        self.last_report = report
        self._sync()

    def tick(self, now: float) -> None:
        self.drain(now)
        if self._parts.doc_type is None and self._pictures.codec is not None:
            self._parts.doc_type = doc_type_of(self._pictures.codec.matroska)
        flowing = now - self._seen_at < _FLOWING_S
        every = KEY_FRAME_EVERY_S if now - self._missed_at > _LATELY_S else _SELDOM_S
        if flowing and self._key_at is not None and now - self._key_at >= every:
            self._track.request_key_frame(now)

    def finish(self) -> None:
        """No more comes, of sound neither."""
        part = self._parts.writing
        if self._frozen_since is not None and part is not None and self._part is part:
            self._gap((part.start + part.muxer.end) / 1000)

    def drain(self, now: float) -> None:
        for item in self._order.pop(now):
            if isinstance(item, Lost):
                self._pictures.lost()
                self._freeze("lost")
            else:
                was_broken = self._pictures.broken
                picture = self._pictures.push(item)
                if picture is not None:
                    self._write(picture)
                elif self._pictures.broken and not was_broken:
                    self._freeze("lost")

    def _ask(self, now: float) -> None:
        if self._pictures.needs_key_frame:
            self._freeze("lost")
            if self._parts.accepts(now):
                self._track.request_key_frame(now)

    def _freeze(self, why: str) -> None:
        if self._frozen_since is None:
            self._frozen_since, self._why = self._last / 1000, why

    # --- pictures ---

    def _write(self, picture: Picture) -> None:
        part = self._part_for(picture)
        if part is None:
            self._pictures.lost()
            self._freeze("disk")
            return
        at = max(self._place(picture), self._last + 1, part.start)
        if self._frozen_since is not None:
            self._gap(at / 1000)
        if picture.frame.key:
            self._key_at = picture.arrived
        self._last, self._seen_at = at, picture.arrived
        part.muxer.picture(at - part.start, picture.frame.data, picture.frame.key)

    def _part_for(self, picture: Picture) -> Part | None:
        """None: it cannot be kept, or not be the first of its part."""
        part, key = self._parts.writing, picture.frame.key
        if part is self._part and part is not None and not key:
            return part
        if part is None:
            known = None if self._base is None else self._base + picture.timestamp / RATE
            part = self._parts.begin(known, picture.arrived) if key else None
        if part is None or not key:
            return part if part is not None and part.muxer.video is not None else None
        width, height = picture.frame.size if any(picture.frame.size) else _NO_SIZE
        video = VideoFormat(picture.codec.matroska, width, height, picture.frame.private)
        if not part.fits(video):
            place = self._place(picture) / 1000
            heard = place if self._sound is None else self._sound.end / 48_000
            self._parts.doc_type = video.doc_type
            part = self._parts.cut(min(place, max(heard, place - _FLOWING_S)), picture.arrived)
        if part.muxer.video is None:
            part.muxer.picture_format(video)
            if self._sound is not None:
                self._sound.lead(part)
        self._part = part
        return part

    def _gap(self, until: float) -> None:
        assert self._frozen_since is not None
        if self._part is not None:
            self._part.gap(self._frozen_since, until, "video", self._why)
        self._frozen_since = None

    # --- time ---

    def _place(self, picture: Picture) -> int:
        """Milliseconds."""
        arrived, stamp = picture.arrived - self._parts.epoch, picture.timestamp / RATE
        if self._base is None or abs(self._base + stamp - arrived) > _ASTRAY_S:
            self._base = self._target = arrived - stamp
            self._synced_at = float("-inf")
            self._lateness.restart(picture.arrived)
        late = arrived - self._base - stamp
        if late < self._lateness.least:
            self._lateness.least = late
        if picture.arrived >= self._lateness.until:
            self._follow_arrival(picture.arrived)
        away = self._target - self._base
        if away:
            step = _LARGE_STEP_S if abs(away) > _FAR_S else _SMALL_STEP_S
            self._base += min(max(away, -step), step)
        return round((self._base + stamp) * 1000)

    def _follow_arrival(self, arrived: float) -> None:
        assert self._base is not None
        late = self._lateness.take(arrived)
        if late is not None and arrived - self._synced_at > _STALE_S:
            self._target = self._base + late

    def _sync(self) -> None:
        """The line's place is where the two tracks' reports say."""
        if self._sound is None or self._sound.last_report is None or self.last_report is None:
            return
        heard = self._sound.at(self._sound.last_report.timestamp)
        elapsed = self.last_report.ntp - self._sound.last_report.ntp
        if heard is None or self._base is None or abs(elapsed) > _STALE_S:
            return
        # The report's timestamp is near the last picture's.
        near = round((self._last / 1000 - self._base) * RATE)
        base = heard + elapsed - extend(self.last_report.timestamp, near, TS_MOD) / RATE
        # Beyond any network's delay it is a stalled clock on one side, not a place for the picture.
        if abs(base - self._base) < _ASTRAY_S / 2:
            self._target, self._synced_at = base, self._seen_at
