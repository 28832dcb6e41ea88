"""How fast memlane is, as ratios within one run: `make bench`. See `docs/benchmarks.md`."""
