"""Leave to see a recording: for one account and one call, for a short while, never without a purpose."""

import sqlalchemy as sa
from msgspec import Struct

from records.audit import Audit, AuditLine
from records.database import Database
from records.model import Account, AccountId, CallId
from records.tables import accounts, calls, grants

GRANT_S = 30 * 60.0
MIN_PURPOSE, MAX_PURPOSE = 4, 200  # characters, after trimming


class Grant(Struct, frozen=True):
    account: AccountId
    call: CallId
    granted_at: float
    until: float  # Unix seconds; good before this moment
    audit_seq: int  # the row of the audit trail that says why


class PurposeRefused(ValueError):
    """The purpose is too short or too long to be one."""


class UnknownCall(LookupError):
    """There is no such call."""


class Grants:
    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def open_recording(
        self, account: Account, call: CallId, purpose: str, address: str, now: float, lasts: float = GRANT_S
    ) -> Grant:
        """Write the audit entry and the grant in one transaction; when this returns, both are committed.

        Raises PurposeRefused and UnknownCall, and then neither is written.
        """
        purpose = " ".join(purpose.split())
        if not MIN_PURPOSE <= len(purpose) <= MAX_PURPOSE:
            raise PurposeRefused(
                f"A purpose has {MIN_PURPOSE} to {MAX_PURPOSE} characters, not {len(purpose)}"
            )
        async with self._database.write() as connection:
            if await connection.scalar(sa.select(calls.c.id).where(calls.c.id == call)) is None:
                raise UnknownCall(call)
            line = AuditLine(
                at=now,
                action="recording.open",
                object=f"call:{call}",
                actor=account.id,
                actor_name=account.name.zh,
                purpose=purpose,
                address=address,
                details={"until": now + lasts},
            )
            entry = await self._audit.append(connection, line)
            grant = Grant(account.id, call, now, now + lasts, entry.seq)
            await connection.execute(
                grants.insert().values(
                    account=account.id, call=call, granted_at=now, until=grant.until, audit_seq=entry.seq
                )
            )
        return grant

    async def grant_for(self, account: AccountId, call: CallId, now: float) -> Grant | None:
        """The grant that lasts longest, if one is good now and the account is still active."""
        names = [grants.c[name] for name in Grant.__struct_fields__]
        query = (
            sa.select(*names)
            .join(accounts, accounts.c.id == grants.c.account)
            .where(grants.c.account == account, grants.c.call == call, accounts.c.active)
            .where(grants.c.granted_at <= now, grants.c.until > now)
            .order_by(grants.c.until.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
            return None if row is None else Grant(*row)
