"""The command `peyvand-node`."""

from node_agent.cli import app


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
