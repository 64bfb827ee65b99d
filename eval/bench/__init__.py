"""Benchmarks: latency, throughput and memory, as ratios against a baseline of the same run. Apart from accuracy."""
