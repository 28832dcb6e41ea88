"""What is shown and what is written."""

import asyncio
import json
import platform
import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import redis
from rich.console import Console
from rich.table import Table

from benchmarks import queues
from benchmarks.comparing import Result
from benchmarks.venue import Venue

FILE: Final = Path(__file__).with_name("results.json")
_PACKAGES: Final = ("aio-pika", "aiosqlite", "faststream", "mcp", "redis", "uvloop")


def show(results: Sequence[Result]) -> None:
    """Prints a table."""
    table = Table(title="memlane, as ratios within one run (best turn of each side; all on uvloop)")
    table.add_column("benchmark", no_wrap=True)
    for column in ("ours", "compared with", "unit", "ratio", "target", ""):
        table.add_column(column, justify="right" if column in {"ours", "compared with"} else "left")
    for result in results:
        benchmark = result.benchmark
        table.add_row(
            benchmark.name,
            _number(result.ours),
            _number(result.theirs),
            benchmark.unit,
            f"{result.ratio:.2f}",
            f"{'≤' if benchmark.less_is_better else '≥'} {benchmark.target:g}",
            "[green]met[/]" if result.passed else "[red]missed[/]",
        )
    console = Console()
    console.print(table)
    for result in results:
        console.print(f"[bold]{result.benchmark.name}[/]: {result.benchmark.ours}", highlight=False)
        console.print(f"    over {result.benchmark.theirs}", highlight=False)
        for name, value in result.between.items():
            console.print(
                f"    between them, {name}: {_number(value)} {result.benchmark.unit}", highlight=False
            )


def write(results: Sequence[Result], venue: Venue) -> None:
    """Writes `benchmarks/results.json`: nothing in it names the machine.

    What the file has of other benchmarks stays, if it was measured likewise: same versions, same sizes.
    """
    likewise = {"quick": venue.quick, "event_loop": "uvloop", "versions": _versions(venue)}
    benchmarks = {one["name"]: one for one in _before(likewise)}
    benchmarks |= {result.benchmark.name: _told(result) for result in results}
    told = {**likewise, "benchmarks": list(benchmarks.values())}
    FILE.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


# Any: as JSON has it.
def _before(likewise: dict[str, object]) -> list[dict[str, Any]]:
    if not FILE.exists():
        return []
    before = json.loads(FILE.read_text(encoding="utf-8"))
    if any(before.get(name) != value for name, value in likewise.items()):
        return []
    return list(before["benchmarks"])


def _told(result: Result) -> dict[str, object]:
    benchmark = result.benchmark
    return {
        "name": benchmark.name,
        "ours": benchmark.ours,
        "theirs": benchmark.theirs,
        "unit": benchmark.unit,
        "ours_turns": [_rounded(value) for value in result.comparison.ours],
        "theirs_turns": [_rounded(value) for value in result.comparison.theirs],
        **_told_between(result),
        "ratio": round(result.ratio, 2),
        "target": benchmark.target,
        "at_most": benchmark.less_is_better,
        "passed": result.passed,
    }


def _told_between(result: Result) -> dict[str, object]:
    between = result.comparison.between
    if not between:
        return {}
    return {"between_turns": {name: [_rounded(value) for value in turns] for name, turns in between.items()}}


def _versions(venue: Venue) -> dict[str, str]:
    with redis.Redis.from_url(venue.redis_url, decode_responses=True) as client:
        server = client.info("server")["redis_version"]
    return {
        "python": platform.python_version(),
        "rabbitmq": asyncio.run(queues.server_version(venue.amqp_url)),
        "redis-server": str(server),
        "sqlite": sqlite3.sqlite_version,
        **{package: version(package) for package in _PACKAGES},
    }


def _rounded(value: float) -> float:
    return round(value, 3) if value < 100 else round(value)


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"
