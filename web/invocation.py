"""What the options before a command said, for every command of ``bangban``."""

import sys
from pathlib import Path

import click

from web.config import Config, ConfigError, load

EXIT_SETTINGS = 2


class Invocation:
    """``file`` is the settings file that was named, ``lang`` the language of reports, each if any."""

    def __init__(self, file: Path | None, lang: str | None) -> None:
        self.file = file
        self.lang = lang

    def config(self) -> Config:
        """The settings; ends the program with every problem named when there is one."""
        try:
            return load(self.file)
        except ConfigError as refused:
            for problem in refused.problems:
                click.echo(problem, err=True)
            sys.exit(EXIT_SETTINGS)
