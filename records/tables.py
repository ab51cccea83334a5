"""Every table of records/, once. The migrations build exactly this (a test compares the two).

Times are Unix seconds as doubles. Ids are plain strings made by whoever owns the thing. Who writes which
table is said in docs/records.md; ``journal``, ``quality``, ``audit`` and ``manifests`` are append-only, which
triggers made by the migrations enforce in the database itself.
"""

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

T = TypeVar("T", bound=msgspec.Struct)

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def storable(text: str) -> str:
    """The text without what an SQL engine refuses: NUL characters and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def read_as(row: sa.RowMapping, shape: type[T]) -> T:
    """The struct whose fields are named like the row's columns. Raises ValidationError on a foreign value."""
    fields: tuple[str, ...] = shape.__struct_fields__
    return msgspec.convert({name: row[name] for name in fields}, shape)


class Words(TypeDecorator[str]):
    """A string column that takes whatever people type: what cannot be stored is taken out, not an error,
    so that a retried write cannot fail forever on one character."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else storable(value)


def _id(name: str, *arguments: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, Words, *arguments, nullable=options.pop("nullable", False), **options)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Double, nullable=nullable)


# --- calls -------------------------------------------------------------------------------------

calls = sa.Table(
    "calls",
    metadata,
    _id("id", primary_key=True),
    _id("station"),
    _id("site"),
    _id("item"),
    _time("requested_at"),
    _time("answered_at", nullable=True),
    _time("ended_at", nullable=True),
    _id("end_reason", nullable=True),
    _id("agent", nullable=True),
    _id("outcome", nullable=True),
    _id("outcome_note"),
    sa.Column("stars", sa.Integer, nullable=True),
    # The list is read newest first, alone or narrowed by one of these; a further filter is cheap after that.
    sa.Index(None, "requested_at", "id"),
    sa.Index(None, "station", "requested_at"),
    sa.Index(None, "site", "requested_at"),
    sa.Index(None, "item", "requested_at"),
    sa.Index(None, "agent", "requested_at"),
    sa.Index(None, "outcome", "requested_at"),
    sa.Index(None, "end_reason", "requested_at"),
    sa.Index(None, "stars", "requested_at"),
    sa.Index(None, "ended_at"),  # for the sweep of calls without a manifest
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    _id("call", sa.ForeignKey("calls.id")),
    _time("at"),
    _id("kind"),
    _id("key"),
    sa.Column("data", sa.JSON, nullable=False),
    sa.UniqueConstraint("call", "key"),
)

# No foreign key to calls: the node's report of a part may overtake the call's first row.
parts = sa.Table(
    "parts",
    metadata,
    _id("id", primary_key=True),
    _id("call", index=True),
    _id("participant"),
    _id("role"),
    _id("kind"),
    sa.Column("generation", sa.Integer, nullable=False),
    _id("path"),
    _time("started_at"),
    sa.Column("sealed", sa.Boolean, nullable=False),
    _time("duration", nullable=True),
    sa.Column("size", sa.BigInteger, nullable=True),
    _id("sha256", nullable=True),
    sa.Column("gaps", sa.JSON, nullable=False),
)

# No foreign key to calls either: rows come from whichever process heard of the call first.
quality = sa.Table(
    "quality",
    metadata,
    _id("call", primary_key=True),
    _id("participant", primary_key=True),
    sa.Column("at", sa.Double, primary_key=True),
    _id("role"),
    sa.Column("rtt_ms", sa.Double, nullable=True),
    sa.Column("bitrate_limit", sa.BigInteger, nullable=True),
    *(
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in (
            "up_bitrate",
            "down_bitrate",
            "up_packets",
            "up_lost",
            "up_unrepaired",
            "down_packets",
            "down_lost",
            "down_unrepaired",
        )
    ),
    sa.Column("jitter_ms", sa.Double, nullable=False),
    sa.Column("freezes", sa.Integer, nullable=False),
    sa.Column("key_frames", sa.Integer, nullable=False),
    sa.Column("recorder_lag_ms", sa.Double, nullable=False),
)

ratings = sa.Table(
    "ratings",
    metadata,
    _id("call", sa.ForeignKey("calls.id"), primary_key=True),
    sa.Column("stars", sa.Integer, nullable=False),
    sa.Column("reasons", sa.JSON, nullable=False),
    _time("at"),
)

manifests = sa.Table(
    "manifests",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _id("call", sa.ForeignKey("calls.id"), unique=True),
    _time("at"),
    sa.Column("body", sa.Text, nullable=False),  # canonical JSON: the bytes that are hashed and signed
    _id("hash"),
    _id("signature"),
    _id("public_key"),
)

# --- people and devices ------------------------------------------------------------------------

accounts = sa.Table(
    "accounts",
    metadata,
    _id("id", primary_key=True),
    _id("login", unique=True),  # case-folded
    _id("role"),
    _id("name_zh"),
    _id("name_en"),
    _id("badge"),
    _id("department"),
    _id("site"),
    sa.Column("skills", sa.JSON, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("hours", sa.JSON, nullable=True),  # NULL: always
    _id("password_hash"),
    _time("created_at"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    _id("token_hash", primary_key=True),  # SHA-256, hex; the token itself is kept nowhere
    _id("account", sa.ForeignKey("accounts.id"), index=True),
    _id("audience"),
    _id("address"),
    _time("opened_at"),
    _time("seen_at"),
    _time("expires_at"),
    sa.Index(None, "expires_at"),
)

# Failures in a row, by what is being guarded: "login:…", "address:…", "enrol:…".
attempts = sa.Table(
    "attempts",
    metadata,
    _id("subject", primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    _time("at"),
    _time("blocked_until"),
    sa.Index(None, "at"),
)

stations = sa.Table(
    "stations",
    metadata,
    _id("id", primary_key=True),
    _id("site"),
    _id("name_zh"),
    _id("name_en"),
    sa.Column("public_key", sa.LargeBinary, nullable=True),
    sa.Column("active", sa.Boolean, nullable=False),
    _time("created_at"),
    _time("enrolled_at", nullable=True),
)

enrolment_codes = sa.Table(
    "enrolment_codes",
    metadata,
    _id("station", sa.ForeignKey("stations.id"), primary_key=True),  # one open code per station
    _id("code_hash", unique=True),
    _time("expires_at"),
)

# --- call-backs ---------------------------------------------------------------------------------

appointments = sa.Table(
    "appointments",
    metadata,
    _id("id", primary_key=True),
    _id("code"),
    _id("queue"),
    _id("item"),
    _id("station"),
    _id("site"),
    _time("at"),
    _time("made_at"),
    _id("phone", nullable=True),
    _id("state"),
    _id("call", nullable=True),
    sa.Index(None, "at", "queue"),
    sa.Index(None, "code", "at"),
)

# --- who saw what ------------------------------------------------------------------------------

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _time("at"),
    _id("actor", nullable=True),
    _id("actor_name"),
    _id("action"),
    _id("object"),
    _id("purpose"),
    _id("address"),
    sa.Column("details", sa.JSON, nullable=False),
    _id("previous"),
    _id("hash"),
    sa.Index(None, "at"),
    sa.Index(None, "actor", "seq"),
    sa.Index(None, "object", "seq"),
    sa.Index(None, "action", "seq"),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    _id("account", sa.ForeignKey("accounts.id")),
    _id("call", sa.ForeignKey("calls.id")),
    _time("granted_at"),
    _time("until"),
    sa.Column("audit_seq", sa.BigInteger, sa.ForeignKey("audit.seq"), nullable=False),
    sa.Index(None, "account", "call", "until"),
)
