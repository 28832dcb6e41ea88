"""What moves things: lanes, responders, the aggregator, the sweeper, and the service that composes them."""
