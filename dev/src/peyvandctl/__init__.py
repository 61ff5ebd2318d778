"""Runs Peyvand on one machine: the cluster, and the ``peyvand`` command."""
