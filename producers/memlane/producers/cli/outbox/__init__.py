"""`memlane outbox`: what waits (`listing.py`), sending it now (`flushing.py`), and how it is told of."""
