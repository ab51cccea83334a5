"""Who listened to whom goes into the audit trail before anything is heard. ``signaling.ports.AuditTrail``."""

from records.audit import AuditLine
from records.model import AccountId, CallId
from records.store import Store

ACTION = "call.supervise"


class HallAuditTrail:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def supervised(self, supervisor: AccountId, call: CallId, mode: str, at: float) -> None:
        """Returns only after the line is committed; raises what the database raises."""
        account = await self._store.accounts.account(supervisor)
        await self._store.audit.write(
            AuditLine(
                at=at,
                action=ACTION,
                object=f"call:{call}",
                actor=supervisor,
                actor_name="" if account is None else account.name.zh,
                details={"mode": mode},
            )
        )
