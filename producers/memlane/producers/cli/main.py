"""`memlane`: where the command line begins and ends."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from memlane.contracts.errors import MemlaneError
from memlane.producers.cli.exit_codes import BROKEN_PIPE, DONE, INTERRUPTED, exit_code_of
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.routes import Routes
from memlane.producers.cli.said import Said, client_options
from memlane.producers.logs import configure_logs
from memlane.producers.settings import LogSettings


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        setattr(context.ensure_object(Said), str(parameter.name), value)


@click.group(cls=Routes, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="memlane")
@client_options
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="The least serious line that is logged.",
    callback=_keep,
    expose_value=False,
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "text", "json"]),
    help="How log lines look.",
    callback=_keep,
    expose_value=False,
)
def cli() -> None:
    """memlane: say once what to remember, and every backend holds it.

    Data goes to stdout (a table on a terminal, JSON Lines with --json), logs and progress to stderr.

    Exit codes: 0 done, 1 failed, 2 usage, 3 incomplete answer, 4 not found, 5 unreachable.
    """
    configure_logs(settings_from(LogSettings))


def main() -> NoReturn:
    """Runs the command line, and ends the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command, and tells on stderr, in one line, what went wrong.

    Returns:
        The exit code; see `exit_codes`.
    """
    said = Said()
    code = _run(arguments, said)
    return code if _flushed() else BROKEN_PIPE


def _run(arguments: Sequence[str], said: Said) -> int:
    try:
        code = cli.main(list(arguments), prog_name="memlane", standalone_mode=False, obj=said)
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except MemlaneError as error:
        _tell(said, error, _sentence(error))
        return exit_code_of(error)
    # Whatever else it is, a bug: told in one line like the rest, and in full with --debug.
    except Exception as error:  # noqa: BLE001
        _tell(
            said,
            error,
            f"this should not happen: {type(error).__name__}. To do: say --debug, and report what it shows",
        )
        return exit_code_of(error)
    return code if isinstance(code, int) else DONE


def _sentence(error: MemlaneError) -> str:
    return f"{error.message.rstrip('.')}. To do: {error.hint}" if error.hint else error.message


def _tell(said: Said, error: BaseException, text: str) -> None:
    if said.debug:
        traceback.print_exception(error)
    click.echo(f"error: {' '.join(text.split())}", err=True)


def _flushed() -> bool:
    """Writes what is left to stdout; False where nobody reads it any more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
