"""What memlane does otherwise than aiormq, the driver under aio-pika (see docs/decisions/0012).

Each of it takes effect for every connection that this process opens afterwards.
"""

import aiormq.connection

from memlane.producers.broker.driver.blocking import Blocking, blocked_of, blocking_of, notice_blocking
from memlane.producers.broker.driver.channel import Channel
from memlane.producers.broker.driver.frames import FrameReceiver
from memlane.producers.broker.driver.tolerance import tolerate_foreign_properties

__all__ = ["Blocking", "Channel", "adapt_driver", "blocked_of", "blocking_of"]


def adapt_driver() -> None:
    """Makes the driver use our parts. Calling it again changes nothing."""
    tolerate_foreign_properties()
    notice_blocking()
    for part in (Channel, FrameReceiver):
        setattr(aiormq.connection, part.__name__, part)
