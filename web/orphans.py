"""Recordings that a dead node left behind: repaired, sealed and listed. Every call keeps its evidence."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec.structs import replace

from media.recording.repair import NotOurs, seal_orphan
from records.manifest import NotEnded
from records.model import CallId, Part
from records.store import Store

log = structlog.get_logger(__name__)

EVERY_S = 15.0
SETTLED_S = 30.0  # after a call's end its own node has long sealed everything
QUIET_S = 10.0  # a file that was written to more recently than this still has an owner


class Orphans:
    """``recordings`` is the folder in which the nodes write; ``now`` is Unix seconds."""

    def __init__(self, store: Store, recordings: Path, now: Callable[[], float]) -> None:
        self._store = store
        self._recordings = recordings
        self._now = now

    async def run(self) -> None:
        while True:
            try:
                await self.sweep()
            except Exception as failed:
                log.warning("orphans to be swept again", why=str(failed))
            await asyncio.sleep(EVERY_S)

    async def sweep(self) -> None:
        """Every call that ended and has no manifest: its open parts are repaired, then it gets one."""
        for call in await self._store.manifests.unsealed(self._now() - SETTLED_S):
            try:
                await self._seal(call)
            except NotEnded as early:
                log.info("recording not sealed yet", call=call, why=str(early))
            except Exception as failed:  # one call's trouble must not keep the others'
                log.warning("recording to be sealed again", call=call, why=str(failed))

    async def _seal(self, call: CallId) -> None:
        for part in await self._store.calls.parts(call):
            if not part.sealed and await self._repair(part):
                log.info("part repaired", call=call, part=part.id)
        await self._store.manifests.seal(call, self._now())
        log.info("recording sealed", call=call)

    async def _repair(self, part: Part) -> bool:
        """False while somebody still writes to it. A file that is gone or unreadable is sealed as it is."""
        path = self._recordings / part.path
        try:
            if self._now() - path.stat().st_mtime < QUIET_S:
                return False
            found = await asyncio.to_thread(seal_orphan, path)
        except (NotOurs, OSError) as why:
            log.warning("part cannot be repaired", part=part.id, why=str(why))
            await self._store.manifests.seal_unrepaired(part)
            return True
        await self._store.ledger.part_sealed(
            replace(
                part,
                sealed=True,
                duration=found.duration,
                size=found.size,
                sha256=found.sha256,
                gaps=(*part.gaps, *found.gaps),
            )
        )
        return True
