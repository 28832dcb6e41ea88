"""What tests, the demo and the benchmarks share: real servers to run against."""
