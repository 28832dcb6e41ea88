"""One file a command. They are found by the table in `routes.py`."""
