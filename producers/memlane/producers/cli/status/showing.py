"""How the state of the system looks."""

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from memlane.producers.cli.formatting import count_of, printable, size_of
from memlane.producers.cli.status.state import SinkState, SystemState


def lines_of(state: SystemState) -> list[str]:
    """Without a terminal: a line a sink with tabs between its cells, then what is to be said.

    The cells: name, status, live, deleted, expired, refused, marks, digest, size, backlog, lanes, responders,
    retrying, parked; `-` where it is not known.
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
    return [
        f"{head}{agreement}; RabbitMQ at {state.broker}, {count_of(state.aggregators, 'aggregator')}",
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
    }


def _number(count: object) -> str:
    return f"{count:,}" if isinstance(count, int) else "-"
