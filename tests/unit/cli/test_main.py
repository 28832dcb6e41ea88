"""How a command begins and ends."""

import json

import click
import pytest

from memlane.contracts.errors import BrokerUnreachable, ConfigurationError
from memlane.producers.cli import extras, routes
from memlane.producers.cli.main import cli, run
from memlane.producers.cli.said import said_now

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> "list[BaseException]":
    """`memlane topology` raises what the test puts into this list."""
    errors: list[BaseException] = []

    def fail() -> None:
        raise errors[0]

    monkeypatch.setattr(routes, "_load", lambda _route: click.Command("topology", callback=fail))
    return errors


def test_every_command_can_be_loaded_and_has_help() -> None:
    """Those of the table, and those that packages add."""
    context = click.Context(cli)
    names = cli.list_commands(context)
    assert {"up", "worker", "store", "get", "import", "config"} <= set(names)
    for name in names:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.help


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BrokerUnreachable("can't reach it.", hint="start it"), 5, "error: can't reach it. To do: start it"),
        (ConfigurationError("two\nlines"), 1, "error: two lines"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(
    command: list[BaseException], error: BaseException, code: int, line: str, capsys: Captured
) -> None:
    """On stderr; without a traceback."""
    command.append(error)
    assert run(["topology"]) == code
    assert capsys.readouterr() == ("", f"{line}\n")


def test_debug_shows_where_it_came_from(command: list[BaseException], capsys: Captured) -> None:
    """Only then."""
    command.append(ConfigurationError("wrong"))
    assert run(["--debug", "topology"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_is_told_in_one_line_too(command: list[BaseException], capsys: Captured) -> None:
    """With how to see more of it: its own words may hold a value."""
    command.append(ZeroDivisionError("oops"))
    assert run(["topology"]) == 1
    err = capsys.readouterr().err
    assert err == (
        "error: this should not happen: ZeroDivisionError. To do: say --debug, and report what it shows\n"
    )


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)])
def test_ctrl_c_and_a_reader_that_left(command: list[BaseException], error: BaseException, code: int) -> None:
    """As shells have it."""
    command.append(error)
    assert run(["topology"]) == code


def test_usage_errors_are_2(capsys: Captured) -> None:
    """With how to get help."""
    assert run(["no-such-command"]) == 2
    assert run(["get"]) == 2
    assert "Try 'memlane" in capsys.readouterr().err


def test_a_setting_that_cannot_work_is_told_before_anything_else(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """By the variable's name."""
    monkeypatch.setenv("MEMLANE_LOG_LEVEL", "loud")
    assert run(["topology", "show"]) == 1
    assert capsys.readouterr().err.startswith("error: MEMLANE_LOG_LEVEL: ")


def test_global_options_work_before_and_behind_the_command(capsys: Captured) -> None:
    """What was said last counts."""
    for arguments in (["--json", "topology", "show"], ["topology", "show", "--json"]):
        assert run(arguments) == 0
        first = json.loads(capsys.readouterr().out.splitlines()[0])
        assert first["name"] == "memlane.commands"
    assert run(["--url", "amqp://a:b@one/", "config", "show", "--url", "amqp://a:b@two/"]) == 0
    assert "\tamqp://a:***@two/\tcommand line\t" in capsys.readouterr().out


def test_outside_of_a_command_nothing_was_said() -> None:
    """The library can be used on its own."""
    assert said_now().settings() == {}


def test_without_the_extra_a_command_says_which_one_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """Whatever stands behind it, and in the list of commands, too."""
    monkeypatch.setattr(extras, "_is_installed", lambda name: name not in {"aiohttp", "redis"})
    assert run(["up", "--sinks", "sqlite"]) == 1
    assert capsys.readouterr().err == (
        "error: `memlane up` needs packages that are not installed: aiohttp, redis. "
        "To do: pip install 'memlane[worker]'\n"
    )
    assert run(["--help"]) == 0
    assert "Not available: pip install 'memlane[worker]'" in capsys.readouterr().out
    assert run(["config", "show"]) == 0
    assert "MEMLANE_SQLITE_PATH" not in capsys.readouterr().out


def test_a_command_that_cannot_be_loaded_says_why(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """A broken installation does not break the other commands."""

    def broken(_route: str) -> click.Command:
        raise ImportError("no module named x")

    monkeypatch.setattr(routes, "_load", broken)
    assert run(["up"]) == 1
    assert (
        "`memlane up` can't be loaded: no module named x. To do: reinstall memlane" in capsys.readouterr().err
    )
