"""Exits with 0 when the agent runs and can keep reports: for the health check of a container.

Whether the hub is there plays no part; a container that is restarted because a line is
down would only make it worse.
"""

import os
import sys

from node_agent.home import Home
from node_agent.joining import default_home
from node_agent.local_client import agent_status


def main() -> int:
    """Look once."""
    home = Home(default_home(dict(os.environ), is_root=os.getuid() == 0))
    status = agent_status(home)
    return 0 if status is not None and status["accepts_reports"] else 1


if __name__ == "__main__":
    sys.exit(main())
