"""Questions on their way to the aggregator. Gets that queue behind those under way go out together."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import uuid4

from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from memlane.contracts.errors import AccessDenied, IncompleteAnswer, InvalidInput, MemlaneError
from memlane.contracts.limits import MAX_DEADLINE_MS, MAX_QUESTIONS
from memlane.contracts.query import AnyQuestion, Consistency, GetQuestion, QueryEnvelope
from memlane.contracts.reply import AnyAnswer, Refusal
from memlane.contracts.reply_codec import decode_reply
from memlane.producers.client.link import Link
from memlane.producers.client.session import Incoming

MAX_MESSAGES_UNDER_WAY: Final = 2
"""Of gets; while so many are unanswered, further gets gather."""

_NOBODY: Final = "is `memlane up` running, and reachable?"


class _LostReply(Exception):
    """The connection that a reply would have come to has gone; the question can be asked again."""


class _Waiting(NamedTuple):
    """A get whose asker waits until then, by the loop's clock."""

    question: GetQuestion
    answered: "asyncio.Future[AnyAnswer]"
    until: float


class QuestionSender:
    """Asks questions, and matches the replies.

    Args:
        link: the connection.
        deadline: how long an answer may take.
    """

    def __init__(self, link: Link, deadline: timedelta) -> None:
        self._link = link
        self._deadline = deadline
        self._replies: dict[str, asyncio.Future[bytes]] = {}
        self._pending: dict[Consistency, deque[_Waiting]] = {"first": deque(), "all": deque()}
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def get(self, question: GetQuestion, consistency: Consistency) -> AnyAnswer:
        """Asks a get, together with others if some are waiting.

        Raises:
            IncompleteAnswer: no reply before the deadline.
            InvalidInput: there is no such consistency.
            AccessDenied: this account may not read there.
        """
        if consistency not in self._pending:
            raise InvalidInput("consistency", f"{consistency!r} is not one of {', '.join(self._pending)}")
        answered = asyncio.get_running_loop().create_future()
        until = self._until()
        self._pending[consistency].append(_Waiting(question, answered, until))
        self._send_pending()
        try:
            async with asyncio.timeout_at(until):
                answer: AnyAnswer = await answered
        except TimeoutError:
            raise self._too_late() from None
        return _allowed(answer)

    async def ask(self, question: AnyQuestion) -> AnyAnswer:
        """Asks one question in a message of its own.

        Raises:
            IncompleteAnswer: no reply before the deadline.
            AccessDenied: this account may not read there.
        """
        return _allowed((await self._ask([question], "first", self._until()))[0])

    async def on_reply(self, message: Incoming) -> None:
        """Takes a reply from the link."""
        future = self._replies.get(message.correlation_id or "")
        if future is not None and not future.done():
            future.set_result(message.body)

    def on_lost(self) -> None:
        """The link's connection has gone, and with it all replies to come."""
        for future in self._replies.values():
            if not future.done():
                future.set_exception(_LostReply())

    async def close(self) -> None:
        """Gives up what is under way: whoever waits for an answer is told."""
        self._is_closed = True
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(_closed())
        for pending in self._pending.values():
            _fail(pending, _closed())
            pending.clear()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _send_pending(self) -> None:
        for consistency, pending in self._pending.items():
            if pending and len(self._under_way) < MAX_MESSAGES_UNDER_WAY:
                batch = _take(pending)
                if not batch:
                    continue
                task = asyncio.create_task(self._ask_batch(batch, consistency))
                self._under_way.add(task)
                task.add_done_callback(self._came_back)

    def _came_back(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        self._send_pending()

    async def _ask_batch(self, batch: Sequence[_Waiting], consistency: Consistency) -> None:
        try:
            questions = [waiting.question for waiting in batch]
            answers = await self._ask(questions, consistency, batch[-1].until)
        except MemlaneError as error:
            _fail(batch, error)
            return
        except BaseException as error:
            _fail(batch, _closed() if self._is_closed else IncompleteAnswer(f"asking broke off: {error!r}"))
            raise
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answered.done():
                waiting.answered.set_result(answer)

    async def _ask(
        self, questions: Sequence[AnyQuestion], consistency: Consistency, until: float
    ) -> list[AnyAnswer]:
        """The answers to all of them, in as many replies as that takes."""
        loop = asyncio.get_running_loop()
        answers: list[AnyAnswer] = []
        while (left := until - loop.time()) > 0 and not self._is_closed:
            try:
                body = await self._ask_once(questions[len(answers) :], consistency, left)
            except _LostReply:
                continue
            except TimeoutError:
                break
            answers += _answers(body, len(questions) - len(answers))
            if len(answers) == len(questions):
                return answers
        if self._is_closed:
            raise _closed()
        raise self._too_late()

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self._deadline.total_seconds()

    def _too_late(self) -> IncompleteAnswer:
        return IncompleteAnswer(
            f"no answer within {self._deadline.total_seconds():g} s; nobody could say", hint=_NOBODY
        )

    async def _ask_once(
        self, questions: Sequence[AnyQuestion], consistency: Consistency, seconds: float
    ) -> bytes:
        envelope = QueryEnvelope(
            questions=list(questions),
            deadline_ms=min(MAX_DEADLINE_MS, max(1, int(seconds * 1000))),
            consistency=consistency,
        )
        correlation_id = uuid4().hex
        reply = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(seconds):
            # The deadline is this timeout's: that of the link is for who has none.
            session = await self._link.session(timedelta(seconds=seconds + 1))
            self._replies[correlation_id] = reply
            try:
                text = envelope.model_dump_json(by_alias=True, exclude_none=True)
                await session.ask(text.encode(), correlation_id, seconds)
                body: bytes = await reply
            except CONNECTION_EXCEPTIONS as error:
                await session.lost.wait()
                raise _LostReply from error
            finally:
                del self._replies[correlation_id]
            return body


def _take(pending: deque[_Waiting]) -> list[_Waiting]:
    """The next gets that somebody still waits for, as many as one message takes."""
    batch: list[_Waiting] = []
    while pending and len(batch) < MAX_QUESTIONS:
        waiting = pending.popleft()
        if not waiting.answered.done():
            batch.append(waiting)
    return batch


def _closed() -> IncompleteAnswer:
    return IncompleteAnswer("the client was closed before an answer came")


def _fail(waiting: Iterable[_Waiting], error: MemlaneError) -> None:
    for one in waiting:
        if not one.answered.done():
            one.answered.set_exception(error)


def _answers(body: bytes, count: int) -> list[AnyAnswer]:
    answers = decode_reply(body).answers
    for answer in answers:
        if isinstance(answer, Refusal) and answer.kind == "invalid":
            raise InvalidInput(answer.field, answer.problem, hint=answer.hint)
    if not 1 <= len(answers) <= count:
        raise IncompleteAnswer(f"{len(answers)} answers to {count} questions came back")
    return answers


def _allowed(answer: AnyAnswer) -> AnyAnswer:
    if isinstance(answer, Refusal):
        raise AccessDenied(answer.field, answer.problem, hint=answer.hint)
    return answer
