"""Errors of several tasks at once: the one to tell of."""


def first_of(group: ExceptionGroup[Exception]) -> Exception:
    """The first error in a group, however deep: the others mostly follow from it."""
    first = group.exceptions[0]
    return first_of(first) if isinstance(first, ExceptionGroup) else first
