"""What is supervised comes back, until it is stopped."""

import os
import sys
from pathlib import Path
from signal import SIGKILL

from tests.chaos.supervisor import Supervised
from tests.support.waiting import wait_until

_LASTS = "import time; time.sleep(100)"


def _supervised(folder: Path, program: str) -> Supervised:
    return Supervised("it", [sys.executable, "-c", program], dict(os.environ), folder)


async def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    """That is no crash of its own."""
    supervised = _supervised(tmp_path, _LASTS)
    supervised.start()
    first = supervised.pid
    supervised.signal(SIGKILL)
    await wait_until(lambda: supervised.starts == 2, "it is started again")
    assert supervised.pid != first
    assert supervised.crashes == 0
    await supervised.stop()
    assert supervised.pid is None


async def test_what_ends_by_an_error_is_counted_and_started_again(tmp_path: Path) -> None:
    """With a pause that grows."""
    supervised = _supervised(tmp_path, "raise SystemExit(3)")
    supervised.start()
    await wait_until(lambda: supervised.crashes >= 2, "it ended twice")
    await supervised.stop()
