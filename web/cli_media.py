"""``bangban media``: run a machine's media workers, see those of the whole installation, let them end."""

import logging
import os
import sys

import click
from msgspec import Struct
from redis import Redis
from redis.exceptions import RedisError

from media.protocol import NODES, Drain, NodeId, NodeInfo, command_stream, encode, info_decoder, node_key
from web.config import Config
from web.engine import redis_url
from web.invocation import Invocation

EXIT_FAILED = 1
ANSWER_S = 2.0
HEADINGS = ("node", "port", "rooms", "cpu", "lag", "full")


class Unreachable(click.ClickException):
    """Redis does not answer."""

    exit_code = EXIT_FAILED


@click.group(invoke_without_command=True)
@click.option("--workers", type=click.IntRange(1, 256), metavar="N", help="Otherwise media.workers.")
@click.pass_context
def media(context: click.Context, workers: int | None) -> None:
    """Run this machine's media workers: they forward and record calls. Needs Redis.

    One process for each worker, each with a UDP port of its own; what dies or hangs is started again.
    SIGTERM or Ctrl-C seals all recordings and ends; SIGUSR1 lets the calls end first and takes no new ones.

    Exit codes: 0 stopped as asked or drained, 1 could not start, 2 wrong settings, 3 stopped but something
    had to be killed.
    """
    if context.invoked_subcommand is None:
        invocation: Invocation = context.obj
        _run(invocation.config(), workers)


def _run(config: Config, workers: int | None) -> None:
    from media.node import NodeSettings
    from media.workers import TooFewPorts, Workers, ports

    count = config.workers if workers is None else workers
    try:
        chosen = ports(config.media.port_min, config.media.port_max, count)
    except TooFewPorts as why:
        raise click.UsageError(
            f"{why}: widen media.port_min to media.port_max, or run fewer workers."
        ) from None
    settings = NodeSettings(
        redis_url=redis_url(config),
        recordings=config.recordings_folder,
        addresses=config.media.addresses,
        public_address=config.media.public_address,
        capacity=config.media.capacity,
    )
    code = Workers(settings, chosen).run()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)  # taking the modules apart takes longer than stopping did


@media.command("list")
@click.pass_obj
def list_(invocation: Invocation) -> None:
    """Show every media worker that is alive, on all machines, and what it carries."""
    nodes = Nodes.of(invocation.config()).alive()
    rows = [HEADINGS, *(_row(info) for info in sorted(nodes, key=lambda info: info.node))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@media.command()
@click.argument("names", metavar="NODE...", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="All that are alive, on all machines.")
@click.pass_obj
def drain(invocation: Invocation, names: tuple[str, ...], everyone: bool) -> None:
    """Let calls end and take no new ones: each NODE (see `bangban media list`) ends after its last call."""
    if everyone == bool(names):
        raise click.UsageError("Name the nodes, or say --all.")
    nodes = Nodes.of(invocation.config())
    alive = {info.node for info in nodes.alive()}
    if missing := [name for name in names if name not in alive]:
        raise click.ClickException(f"There is no such node: {', '.join(missing)}. See `bangban media list`.")
    for name in sorted(alive if everyone else names):
        nodes.drain(NodeId(name))
        click.echo(f"{name} takes no more calls.")


def _row(info: NodeInfo) -> tuple[str, ...]:
    return (
        info.node,
        str(info.port or "-"),
        f"{info.rooms}/{info.capacity}",
        f"{info.cpu:.0%}",
        f"{info.lag_ms:.0f} ms",
        info.full or "-",
    )


class Nodes(Struct, frozen=True):
    """The leases, read from a terminal."""

    url: str

    @classmethod
    def of(cls, config: Config) -> "Nodes":
        return cls(redis_url(config))

    def alive(self) -> list[NodeInfo]:
        try:
            with self._client() as client:
                names = [NodeId(name) for name in client.smembers(NODES)]
                leases = client.mget([node_key(name) for name in names]) if names else []
        except (RedisError, OSError) as why:
            raise Unreachable(f"Redis does not answer: {why}. Is the service running?") from None
        return [info_decoder.decode(lease) for lease in leases if lease is not None]

    def drain(self, node: NodeId) -> None:
        try:
            with self._client() as client:
                client.xadd(command_stream(node), {"m": encode(Drain())})
        except (RedisError, OSError) as why:
            raise Unreachable(f"Redis does not answer: {why}") from None

    def _client(self) -> Redis:
        return Redis.from_url(self.url, socket_timeout=ANSWER_S, decode_responses=True)
