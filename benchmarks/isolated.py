"""Each side runs in a process of its own, on uvloop, so that none shares its interpreter with another.

Both sides use uvloop, because memlane's workers do.
"""

import asyncio
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final, ParamSpec, TypeVar

import uvloop

LIMIT_SECONDS: Final = 300.0
_END_SECONDS: Final = 5.0
_READY: Final = "ready"
_context: Final = get_context("spawn")

P = ParamSpec("P")
T = TypeVar("T")


class ChildFailed(Exception):
    """A side's process raised, ended or took too long; the text is its traceback."""


def run(side: Callable[P, Coroutine[object, object, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a coroutine function in a new process.

    Args:
        side: of a module's top level.
        args: picklable, as is what it returns.
        kwargs: likewise.

    Raises:
        ChildFailed: it raised, or took more than five minutes.
    """
    with _process(_run, side, args, kwargs) as answers:
        result: T = _receive(answers, side.__name__)
    return result


@contextmanager
def background(service: Callable[..., AbstractAsyncContextManager[None]], *args: object) -> Iterator[None]:
    """Keeps an asynchronous context manager entered in another process.

    Raises:
        ChildFailed: it could not be entered.
    """
    with _process(_serve, service, args) as answers:
        _receive(answers, service.__name__)
        yield


@contextmanager
def _process(target: Callable[..., None], *args: object) -> Iterator[Connection]:
    answers, say = _context.Pipe(duplex=False)
    process = _context.Process(target=target, args=(say, *args), daemon=True)
    process.start()
    # The child has its own copy: without this one, its end is seen as the end of the pipe.
    say.close()
    try:
        yield answers
    finally:
        process.join(0 if target is _serve else _END_SECONDS)
        process.kill()
        process.join()
        answers.close()


def _receive(answers: Connection, name: str) -> T:  # type: ignore[type-var]  # what the child was asked for
    if not answers.poll(LIMIT_SECONDS):
        raise ChildFailed(f"{name} took more than {LIMIT_SECONDS:.0f} s")
    try:
        done, result = answers.recv()
    except EOFError:
        raise ChildFailed(f"the process of {name} ended without a result") from None
    if not done:
        raise ChildFailed(f"{name} failed:\n{result}")
    value: T = result
    return value


def _run(
    say: Connection,
    side: Callable[..., Coroutine[object, object, object]],
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> None:
    try:
        say.send((True, uvloop.run(side(*args, **kwargs))))
    except BaseException:  # noqa: BLE001  # told to the parent, whatever it was
        say.send((False, traceback.format_exc()))


def _serve(
    say: Connection,
    service: Callable[..., AbstractAsyncContextManager[None]],
    args: tuple[object, ...],
) -> None:
    async def stay() -> None:
        async with service(*args):
            say.send((True, _READY))
            await asyncio.Event().wait()

    try:
        uvloop.run(stay())
    except BaseException:  # noqa: BLE001  # told to the parent, whatever it was
        say.send((False, traceback.format_exc()))
