"""Answers questions from one sink."""

from memlane.workers.responder.responder import Responder

__all__ = ["Responder"]
