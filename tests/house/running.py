"""The programs of the documentation, run as a reader would run them."""

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.house.project import Block, blocks

RUN: Final = "run"
_SECONDS: Final = 30
_COLUMNS: Final = 140
_PROMPT: Final = "$ "
_CHANGING: Final = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "VERSION"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+Z)?"), "INSTANT"),
    (re.compile("─+"), "─"),
)


@dataclass(frozen=True)
class Command:
    """A line that a reader types, and what the page shows behind it."""

    line: str
    output: str


def commands(page: Path) -> list[Command]:
    """The commands of a page's blocks that are marked to be run, in order."""
    return [command for block in _marked(page, "console") for command in _commands_of(block)]


def programs(page: Path) -> list[str]:
    """The Python programs of a page that are marked to be run."""
    return [block.text for block in _marked(page, "python")]


def output_behind(page: Path, program: str) -> str:
    """The block of output that follows a program on its page."""
    all_ = blocks(page)
    at = next(index for index, block in enumerate(all_) if block.text == program)
    return all_[at + 1].text


def run_on_terminal(line: str, environment: Mapping[str, str], folder: Path) -> str:
    """What a command writes, on a terminal of 140 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, _COLUMNS, 0, 0))
    program, *arguments = shlex.split(line)
    with subprocess.Popen(  # noqa: S603  # the documentation's own commands
        [Path(sys.executable).with_name(program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm", "NO_COLOR": "1"},
        cwd=folder,
    ) as process:
        os.close(theirs)
        written = b"".join(_read(ours))
        process.wait(_SECONDS)
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def comparable(text: str) -> list[str]:
    """The lines of a text without what is different each time, and without the width of columns."""
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _read(descriptor: int) -> Iterator[bytes]:
    # Linux says EIO where the other end of a terminal has gone.
    with suppress(OSError):
        while chunk := os.read(descriptor, 65_536):
            yield chunk


def _marked(page: Path, language: str) -> list[Block]:
    return [block for block in blocks(page) if block.note == RUN and block.language == language]


def _commands_of(block: Block) -> Iterator[Command]:
    for part in f"\n{block.text}".split(f"\n{_PROMPT}")[1:]:
        line, _, output = part.partition("\n")
        yield Command(line, output)
