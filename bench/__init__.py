"""Measure speed and memory: `make bench` writes bench/results.json."""
