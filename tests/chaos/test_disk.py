"""A full disk is full, and then not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.disk import SmallDisk

_WRITER = """
import sys
for line in sys.stdin:
    try:
        with open("file", "ab", buffering=0) as file:
            written = file.write(b"x" * 100_000)
    except OSError:
        written = 0
    print(written, flush=True)
"""


@pytest.mark.parametrize("mount", [True, False])
def test_nothing_can_be_added_to_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mount: bool
) -> None:
    """By a mounted disk where that may be, and by a limit, which needs no rights."""
    if not mount:
        monkeypatch.setattr("tests.chaos.disk._succeeds", lambda _command: False)
    disk = SmallDisk(tmp_path / "disk")
    disk.open()
    command = [sys.executable, "-c", _WRITER]
    with subprocess.Popen(command, cwd=disk.folder, stdin=-1, stdout=-1, text=True) as writer:  # noqa: S603
        assert writer.stdin is not None
        assert writer.stdout is not None
        written = []
        for step in (None, lambda: disk.fill([writer.pid]), disk.clear):
            if step is not None:
                step()
            writer.stdin.write("\n")
            writer.stdin.flush()
            written.append(int(writer.stdout.readline()))
        writer.stdin.close()
    disk.close()
    assert written[0] == written[2] == 100_000
    assert written[1] < 100_000
