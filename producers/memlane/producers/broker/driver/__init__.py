"""What memlane does otherwise than aiormq, the driver under aio-pika (see docs/decisions/0012).

Each of it takes effect for every connection that this process opens afterwards.
"""

import aiormq.connection

from memlane.producers.broker.driver.channel import Channel
from memlane.producers.broker.driver.frames import FrameReceiver
from memlane.producers.broker.driver.tolerance import tolerate_foreign_properties

__all__ = ["Channel", "adapt_driver"]


def adapt_driver() -> None:
    """Makes the driver use our parts. Calling it again changes nothing."""
    tolerate_foreign_properties()
    for part in (Channel, FrameReceiver):
        setattr(aiormq.connection, part.__name__, part)
