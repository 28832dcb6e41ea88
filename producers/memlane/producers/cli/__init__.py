"""The command line. Data on stdout, everything else on stderr; exit codes in `exit_codes.py`."""
