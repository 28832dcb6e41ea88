"""What keeps the demo from going on."""


class DemoError(Exception):
    """The demo can't go on. What was checked and found wrong before is on the page.

    Args:
        what: what could not be done, and why.
        hint: what to do about it.
    """

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(f"{what}. To do: {hint}" if hint else what)
