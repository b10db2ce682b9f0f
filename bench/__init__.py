"""Speed and memory, measured: `make bench` writes bench/results.json."""
