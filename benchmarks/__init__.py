"""What we measure against others: ``python -m benchmarks.run``."""
