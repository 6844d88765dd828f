"""Figures that can be measured again: ``python -m benchmarks`` prints them all, each module alone prints its own."""
