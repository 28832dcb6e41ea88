"""The bot on a whole memlane: what its users will have."""

from preferences_bot import PreferencesBot

from memlane.testing.running import RunningMemlane


async def test_another_process_knows_it(memlane: RunningMemlane) -> None:
    """The bot is restarted, and remembers."""
    async with memlane.client() as memory:
        assert await PreferencesBot(memory).answer("ada", "I like tea") == "Noted."
    async with memlane.client() as memory:
        assert await PreferencesBot(memory).answer("ada", "what do you know about tea?") == "You like tea."


async def test_what_is_forgotten_is_gone_everywhere(memlane: RunningMemlane) -> None:
    """Every store was asked."""
    async with memlane.client() as memory:
        bot = PreferencesBot(memory)
        await bot.answer("ada", "I like tea")
        assert await bot.answer("ada", "forget me") == "Forgotten."
        page = await memory.list("ada")
        assert page.complete
        assert page.hits == []


async def test_a_deployment_is_empty(memlane: RunningMemlane) -> None:
    """The tests before left nothing here, on the same servers."""
    async with memlane.client() as memory:
        assert (
            await PreferencesBot(memory).answer("ada", "what do you know about tea?") == "Nothing about tea."
        )
