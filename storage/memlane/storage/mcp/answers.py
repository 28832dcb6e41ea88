"""Believing a tool's answer, or not."""

from memlane.storage.mcp.errors import ToolFailed
from memlane.storage.mcp.session import ToolAnswer


def done(answer: ToolAnswer, *, begins: str = "") -> ToolAnswer:
    """The same answer, where it says that the work is done.

    Args:
        answer: of a tool.
        begins: what its text begins with then, for servers that call nothing an error.

    Raises:
        ToolFailed: it says something else.
    """
    if answer.is_error:
        raise ToolFailed("the server calls it an error")
    if not answer.text.lstrip().startswith(begins):
        raise ToolFailed(f"the server's answer does not begin with {begins!r}")
    return answer
