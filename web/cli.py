"""The command line, ``bangban``: what a stranger types to run, fill and examine the service.

Every command imports what it needs when it runs, so that ``--help`` is instant and one broken part does
not take the others' commands with it.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from web import logs
from web.cli_media import media
from web.cli_records import account, seed, station
from web.cli_simulate import simulate
from web.invocation import Invocation

T = TypeVar("T")

EXIT_FAILED = 1
RECANCEL_S = 0.3


def _version() -> str:
    try:
        return metadata.version("bangban")
    except metadata.PackageNotFoundError:
        return "from a checkout"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(_version(), prog_name="bangban")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings (TOML). Otherwise $BANGBAN_CONFIG, or bangban.toml here, or the defaults.",
)
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of reports; otherwise your locale's.")
@click.option("--verbose", "-v", is_flag=True, help="Log more.")
@click.pass_context
def main(context: click.Context, file: Path | None, lang: str | None, verbose: bool) -> None:
    """Bangban (帮办): video help from a hall's agents for residents at unattended stations.

    Try it with `bangban serve --demo`. Settings come from one TOML file, and from environment variables
    named BANGBAN_<SECTION>__<KEY>, for example BANGBAN_WEB__PORT=8443.
    """
    logs.set_up(verbose=verbose)
    context.obj = Invocation(file, lang)


@main.command()
@click.option(
    "--demo", is_flag=True, help="Fill in the demonstration hall, and print its addresses and passwords."
)
@click.pass_obj
def serve(invocation: Invocation, demo: bool) -> None:
    """Run the whole service on this machine, in the foreground.

    Starts a Valkey of its own unless redis.url is set, brings the database up to date, and runs the media
    workers and the web process; what dies is started again. Ctrl-C (or SIGTERM) stops all of it.

    Exit codes: 0 stopped as asked, 1 could not start, 2 wrong settings, 3 stopped but something had to be
    killed.
    """
    from web.serve import serve as run

    _leave(_finish(run(invocation.config(), invocation.file, demo=demo)))


@main.command()
@click.pass_obj
def web(invocation: Invocation) -> None:
    """Run one web process: pages, sign-in, signaling. Needs Redis and a migrated database."""
    from web.app import serve_web

    _until_stopped(serve_web(invocation.config()))
    _leave(0)


@main.command()
@click.pass_obj
def migrate(invocation: Invocation) -> None:
    """Bring the database to this version's schema. Safe to repeat; `serve` does it by itself."""
    from web.serve import migrate as run

    _finish(run(invocation.config()))
    click.echo("The database is up to date.")


@main.command()
@click.pass_obj
def doctor(invocation: Invocation) -> None:
    """Examine this installation and say what is wrong with it, and what to do.

    Looks at folders and disk, ports, certificate, database, Redis, media addresses, TURN and clock, and
    changes nothing. Exit code 1 when something is broken. Chinese unless your locale says otherwise; see
    --lang.
    """
    from web.doctor import examine as examination

    findings = asyncio.run(examination.examine(invocation.config()))
    click.echo(examination.report(findings, examination.language(invocation.lang)))
    sys.exit(EXIT_FAILED if examination.faulty(findings) else 0)


main.add_command(account)
main.add_command(media)
main.add_command(seed)
main.add_command(simulate)
main.add_command(station)


def _finish(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; a refusal that has a sentence ends the program with it instead of a traceback."""
    from web.supervisor import CannotStart

    try:
        return asyncio.run(work)
    except CannotStart as why:
        click.echo(str(why), err=True)
        sys.exit(EXIT_FAILED)


def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run a role until SIGTERM or Ctrl-C, which cancel it."""
    import uvloop

    uvloop.run(_cancelled_by_signal(work))


def _leave(code: int) -> NoReturn:
    """End at once. All is closed by now, and on a busy machine taking the modules apart takes longer than
    stopping did."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _cancelled_by_signal(work: Coroutine[Any, Any, None]) -> None:
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    role = asyncio.create_task(work, name="role")
    stop = asyncio.create_task(asked.wait(), name="stop asked")
    await asyncio.wait({role, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    role.cancel()
    while not role.done():
        await asyncio.wait({role}, timeout=RECANCEL_S)
        # Python 3.11's wait_for loses a cancellation that comes as its result does (bpo-42130), and redis-py
        # sends every command through it: a task that was told to end may still run. Tell it again.
        for task in asyncio.all_tasks() - {role}:
            if task.cancelling():
                task.cancel()
    if not role.cancelled():
        role.result()


if __name__ == "__main__":
    main()
