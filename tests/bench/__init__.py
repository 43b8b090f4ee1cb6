"""Benchmarks: ratios within one run, printed as `name value unit target ok` and kept in `var/bench/<bench>.json`."""
