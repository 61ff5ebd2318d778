"""Measures Peyvand, side by side with what it is compared to."""
