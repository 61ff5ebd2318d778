"""Backups of a hub: one file that can be taken elsewhere, its keys apart, and the way back."""
