"""A short run of the whole: every kind of fault once, several at a time."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = timedelta(seconds=220)
SEED = 20


@pytest.mark.processes
@pytest.mark.timeout(240)
def test_nothing_confirmed_is_lost_wrong_or_resurrected(tmp_path: Path) -> None:
    """Whatever breaks; and every sink gets there."""
    seed = os.environ.get("CHAOS_SEED", str(SEED))
    command = [sys.executable, "-m", "tests.chaos", "--seed", seed, "--producers", "3", "--rate", "120"]
    command += ["--results", str(tmp_path)]
    done = subprocess.run(  # noqa: S603  # fixed arguments
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT.total_seconds()
    )
    (file,) = tmp_path.glob("*/figures.json")
    # Any: what JSON gives.
    figures: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert (figures["lost"], figures["wrong"], figures["resurrected"]) == (0, 0, 0), done.stdout
    # How long it took is a figure of the long run: here other tests take their part of the machine.
    assert figures["converged_after"] is not None, done.stdout
    # A command that nobody confirmed may be in one sink and not in another.
    assert len(set(figures["digests"].values())) == 1 or figures["unconfirmed"] > 0, done.stdout
    assert figures["faults"] == len(figures["kinds"]), done.stdout
    assert figures["confirmed"] > 1000, done.stdout
