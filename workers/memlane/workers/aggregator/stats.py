"""Stats: by sink, not merged."""

import asyncio

from memlane.contracts.query import StatsQuestion
from memlane.contracts.reply import SinkStats, SinkStatsReport, StatsAnswer
from memlane.workers.aggregator.round import Round


async def answer_stats(round_: Round, question: StatsQuestion) -> StatsAnswer:
    """What each sink holds, from all that answer before the deadline."""
    async with asyncio.TaskGroup() as group:
        asked = {
            sink: group.create_task(round_.ask(sink, [question], round_.seconds_left))
            for sink in round_.sinks
        }
    sinks: dict[str, SinkStatsReport] = {}
    for sink, task in asked.items():
        said = next((a for a in task.result().answers if isinstance(a, SinkStats)), None)
        sinks[sink] = SinkStatsReport(**round_.reports[sink].model_dump(), stats=said)
    return StatsAnswer(complete=all(said.stats for said in sinks.values()), sinks=sinks)
