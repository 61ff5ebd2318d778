"""The one error a person at the terminal is meant to read."""

from __future__ import annotations


class ClusterError(Exception):
    """Something on this machine keeps the network from running.

    Attributes:
        message: what is wrong, in a sentence.
        mend: what to do about it; empty when nothing general can be said.
    """

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}\n{self.mend}" if self.mend else self.message
