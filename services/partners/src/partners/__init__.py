"""Owns institutions, persons, agreements and activities."""
