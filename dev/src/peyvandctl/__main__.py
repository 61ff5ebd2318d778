"""``python -m peyvandctl`` is the ``peyvand`` command."""

from peyvandctl.cli import app

if __name__ == "__main__":
    app()
