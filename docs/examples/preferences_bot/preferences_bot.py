"""A bot that remembers what its users like, and forgets it when it is told to."""

from memlane.client import MemoryClient

NAMESPACE = "preferences"


class PreferencesBot:
    """Answers messages; everything that it knows of its users is in memlane."""

    def __init__(self, memory: MemoryClient) -> None:
        self._memory = memory

    async def answer(self, user: str, message: str) -> str:
        """What the bot says to a message.

        Args:
            user: who wrote it.
            message: `I like TOPIC`, `I dislike TOPIC`, `what do you know about TOPIC?` or `forget me`.
        """
        match message.split():
            case ["I", ("like" | "dislike") as feeling, *topic] if topic:
                # The broker has it, whatever happens to this process now; and a store has it, so it is found.
                await self._memory.store(
                    user, " ".join(topic), {"feeling": feeling}, namespace=NAMESPACE, wait="any"
                )
                return "Noted."
            case ["what", "do", "you", "know", "about", *topic] if topic:
                return await self._recall(user, " ".join(topic).rstrip("?"))
            case ["forget", "me"]:
                # Every store has forgotten it when this returns, or the receipt says which one has not.
                receipt = await self._memory.forget(user, wait="all")
                return "Forgotten." if not receipt.pending else "You will be forgotten."
            case _:
                return "I did not get that."

    async def _recall(self, user: str, topic: str) -> str:
        page = await self._memory.search(user, topic, namespace=NAMESPACE, limit=1)
        if not page.hits:
            return f"Nothing about {topic}."
        entry = page.hits[0].entry
        return f"You {entry.value['feeling']} {entry.key}."
