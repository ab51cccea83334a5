"""After the call: what the node wrote becomes evidence. The manifest is made when every part is sealed."""

from collections.abc import Callable, Sequence

import structlog

from records.manifest import NotEnded
from records.model import CallId, CallSummary, JournalEntry, Part, RatingReason
from records.store import Store
from signaling.ports import NotYet

log = structlog.get_logger(__name__)


class HallLedger:
    """``signaling.ports.Ledger`` over records/: the store's own ledger, and the manifest at the end."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    async def write(self, entries: Sequence[JournalEntry], summary: CallSummary) -> None:
        await self._store.ledger.write(entries, summary)

    async def part_opened(self, part: Part) -> None:
        await self._store.ledger.part_opened(part)

    async def part_sealed(self, part: Part) -> None:
        await self._store.ledger.part_sealed(part)

    async def rate(self, call: CallId, stars: int, reasons: Sequence[RatingReason], at: float) -> bool:
        return await self._store.ledger.rate(call, stars, reasons, at)

    async def recording_complete(self, call: CallId) -> None:
        """Raises NotYet while the call's end or the end of one of its parts is not written down."""
        try:
            manifest = await self._store.manifests.seal(call, self._now())
            log.info("recording sealed", call=call, manifest=manifest.seq)
        except NotEnded as early:
            raise NotYet(str(early)) from early
