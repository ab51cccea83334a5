"""How good the connections of each call were: the table quality."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quality",
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("participant", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("rtt_ms", sa.Double(), nullable=True),
        sa.Column("bitrate_limit", sa.BigInteger(), nullable=True),
        sa.Column("up_bitrate", sa.BigInteger(), nullable=False),
        sa.Column("down_bitrate", sa.BigInteger(), nullable=False),
        sa.Column("up_packets", sa.BigInteger(), nullable=False),
        sa.Column("up_lost", sa.BigInteger(), nullable=False),
        sa.Column("up_unrepaired", sa.BigInteger(), nullable=False),
        sa.Column("down_packets", sa.BigInteger(), nullable=False),
        sa.Column("down_lost", sa.BigInteger(), nullable=False),
        sa.Column("down_unrepaired", sa.BigInteger(), nullable=False),
        sa.Column("jitter_ms", sa.Double(), nullable=False),
        sa.Column("freezes", sa.Integer(), nullable=False),
        sa.Column("key_frames", sa.Integer(), nullable=False),
        sa.Column("recorder_lag_ms", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("call", "participant", "at", name=op.f("pk_quality")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER quality_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quality "
            "FOR EACH STATEMENT EXECUTE FUNCTION bangban_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER quality_no_{verb.lower()} BEFORE {verb} ON quality "
            "BEGIN SELECT RAISE(ABORT, 'quality is append-only'); END"
        )
