"""The performance figures, each measured beside its peers in the same run: ``python -m benchmarks [name]``."""
