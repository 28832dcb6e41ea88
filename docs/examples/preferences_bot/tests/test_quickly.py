"""The bot's logic, on a memlane without servers: as many of these as you like."""

import pytest
from preferences_bot import PreferencesBot

from memlane.testing.in_memory import InMemoryMemlane


@pytest.mark.parametrize("feeling", ["like", "dislike"])
async def test_it_remembers(memlane_in_memory: InMemoryMemlane, feeling: str) -> None:
    """In its user's own words."""
    async with memlane_in_memory.client() as memory:
        bot = PreferencesBot(memory)
        assert await bot.answer("ada", f"I {feeling} green tea") == "Noted."
        assert await bot.answer("ada", "what do you know about tea?") == f"You {feeling} green tea."


async def test_it_does_not_tell_others(memlane_in_memory: InMemoryMemlane) -> None:
    """Each user has a memory of their own."""
    async with memlane_in_memory.client() as memory:
        bot = PreferencesBot(memory)
        await bot.answer("ada", "I like tea")
        assert await bot.answer("eve", "what do you know about tea?") == "Nothing about tea."


async def test_nothing_is_parked(memlane_in_memory: InMemoryMemlane) -> None:
    """What memlane can't apply would be in a dead-letter queue: here, in a list."""
    async with memlane_in_memory.client() as memory:
        await PreferencesBot(memory).answer("ada", "I like tea")
    assert memlane_in_memory.parked == []
