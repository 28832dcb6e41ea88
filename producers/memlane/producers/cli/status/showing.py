"""How the state of the system looks."""

from datetime import timedelta
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from memlane.contracts.instants import now
from memlane.producers.cli.formatting import count_of, printable, size_of
from memlane.producers.cli.status.state import SinkState, SystemState

_EXACT_SECONDS: Final = 10
_MANY_SECONDS: Final = 600


def lines_of(state: SystemState) -> list[str]:
    """Without a terminal: a line a sink with tabs between its cells, then what is to be said.

    The cells: name, status, live, deleted, expired, refused, marks, digest, size, backlog, lanes, responders,
    retrying, parked, lag, differed, repaired; `-` where it is not known. The last two are of the last round.
    """
    rows = ["\t".join([sink.name, *_cells(sink).values()]) for sink in state.sinks]
    return [*rows, *(printable(text) for text in _sentences(state))]


def picture_of(state: SystemState) -> Group:
    """For a terminal: a column a sink."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for sink in state.sinks:
        table.add_column(sink.name, justify="right")
    by_sink = [_cells(sink) for sink in state.sinks]
    for name in by_sink[0] if by_sink else ():
        table.add_row(name, *(Text(cells[name], _style(name, cells[name])) for cells in by_sink))
    first, *others = _sentences(state)
    head = Text(printable(first), "bold green" if state.healthy else "bold red")
    return Group(table, head, *(Text(printable(text)) for text in others))


def _style(name: str, cell: str) -> str:
    if name == "status":
        return "green" if cell == "ok" else "red"
    return "yellow" if name in {"retrying", "parked"} and cell not in {"0", "-"} else ""


def _sentences(state: SystemState) -> list[str]:
    head = "healthy" if state.healthy else "unhealthy"
    agreement = {True: ", the sinks agree", False: ", the sinks differ", None: ""}[state.agree]
    aggregators = count_of(state.aggregators, "aggregator")
    last = state.last_round
    compared = "" if last is None else f"; compared {_time(now() - last.at)} ago"
    return [
        f"{head}{agreement}; RabbitMQ at {state.broker}, {aggregators}{compared}",
        *(f"problem: {problem}" for problem in state.problems()),
        *(f"note: {note}" for note in state.notes()),
    ]


def _cells(sink: SinkState) -> dict[str, str]:
    stats, lane = sink.stats, sink.lane
    return {
        "status": sink.status,
        "live": _number(stats and stats.live),
        "deleted": _number(stats and stats.deleted),
        "expired": _number(stats and stats.expired),
        "refused": _number(stats and stats.refused),
        "marks": _number(stats and stats.marks),
        "digest": sink.digest or "-",
        "size": size_of(stats.bytes if stats else None) or "-",
        "backlog": _number(lane and lane.ready),
        "lanes": _number(lane and lane.consumers),
        "responders": _number(sink.responders),
        "retrying": _number(sink.retrying),
        "parked": _number(sink.parked),
        "lag": "-" if sink.lag is None else _time(sink.lag),
        "differed": _number(sink.compared and sink.compared.lacked),
        "repaired": _number(sink.compared and sink.compared.repaired),
    }


def _time(time: timedelta) -> str:
    """`0s`, `0.4s`, `75s`, `2h10m`."""
    seconds = time.total_seconds()
    if not seconds or seconds >= _EXACT_SECONDS:
        minutes = seconds // 60
        return f"{seconds:.0f}s" if seconds < _MANY_SECONDS else f"{minutes // 60:.0f}h{minutes % 60:.0f}m"
    return f"{seconds:.1f}s"


def _number(count: object) -> str:
    return f"{count:,}" if isinstance(count, int) else "-"
