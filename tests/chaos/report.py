"""A run's figures as people read them."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.chaos.figures import Figures

_MOST_FINDINGS = 20


def print_report(figures: Figures, console: Console) -> None:
    """The table, what is not as it must be, and how to run it again."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("what")
    table.add_column("figure", justify="right", overflow="fold")
    for what, figure in _rows(figures):
        table.add_row(what, figure)
    console.print(table)
    for finding in figures.findings[:_MOST_FINDINGS]:
        console.print(f"{finding.fault} in {finding.sink}: {finding.place}: {finding.reason}")
    if len(figures.findings) > _MOST_FINDINGS:
        console.print(f"… and {len(figures.findings) - _MOST_FINDINGS} more")
    again = f"python -m tests.chaos --seed {figures.seed} --faults {','.join(figures.kinds)}"
    console.print(
        f"{'Every promise was kept' if figures.holds else 'NOT every promise was kept'}. Again: {again}"
    )


def _rows(figures: Figures) -> list[tuple[str, str]]:
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(figures.faults.items()))
    parked = "; ".join(f"{sink}: {of or 'none'}" for sink, of in figures.parked.items())
    equal = len(set(figures.digests.values())) == 1
    return [
        ("commands", f"{figures.commands:,}"),
        ("… confirmed", f"{figures.confirmed:,}"),
        ("… unconfirmed", f"{figures.unconfirmed:,}"),
        ("addresses", f"{figures.addresses:,}"),
        ("sinks", ", ".join(figures.sinks)),
        ("faults", f"{figures.faults.total():,}"),
        ("… by kind", kinds),
        ("published again (commands)", f"{figures.published_again:,}"),
        ("delivered again (messages)", f"{figures.delivered_again:,}"),
        ("parked", parked),
        ("lost", f"{figures.lost:,}"),
        ("wrong", f"{figures.wrong:,}"),
        ("resurrected", f"{figures.resurrected:,}"),
        ("digests", "all equal" if equal else str(figures.digests)),
        ("longest recovery", _seconds(figures.longest_recovery)),
        ("… disturbed by further faults", _seconds(figures.longest_disturbed)),
        ("converged after the last fault", _seconds(figures.converged_after)),
        ("… sinks that were being filled then", _filled(figures.filled_after)),
        ("processes that ended by an error", str(figures.crashes or "none")),
        ("length", f"{figures.seconds / 60:.1f} min"),
        ("seed", str(figures.seed)),
    ]


def _filled(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} s"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"
