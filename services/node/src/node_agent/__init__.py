"""The agent of a center: takes its reports, keeps them, and brings them to the hub."""

from importlib.metadata import version

VERSION = version("peyvand-node")
"""Version of this software, as it tells the hub."""

PROTOCOL = 1
"""Version of the protocol that it speaks."""
