"""``peyvand backup`` and ``peyvand restore``: the network of this machine, taken elsewhere."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from peyvandctl.errors import ClusterError
from peyvandctl.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_DEFAULT_FOLDER = Path("backups")


class Keys(StrEnum):
    """How the keys of the hub are kept."""

    SEALED = "sealed"
    PLAIN = "plain"
    NONE = "none"


PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", help="Its passphrase opens the keys [PEYVAND_BACKUP_PASSPHRASE]."
    ),
]


def backup(
    *,
    to: Annotated[
        Path, typer.Option("--to", help="Folder that it goes to, or a file named *.backup.")
    ] = _DEFAULT_FOLDER,
    verify: Annotated[
        Path | None, typer.Option("--verify", help="Make none: read this one, and compare.")
    ] = None,
    keys: Annotated[
        Keys, typer.Option(help="Keys of the hub: sealed with a passphrase, in plain text, none.")
    ] = Keys.SEALED,
    no_files: Annotated[bool, typer.Option("--no-files", help="Leave files out.")] = False,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Back up the network of this machine while it runs: databases, files, keys.

    The keys lie in a file of their own beside the backup. PEYVAND_HOME says which network.
    """
    from hubkit.backup.archive import Archive
    from hubkit.backup.commands import summary, told
    from hubkit.backup.restoring import check
    from peyvandctl import backups
    from peyvandctl.paths import Home

    with _terminal() as (terminal, say):
        if verify is not None:
            with backups.told_at_the_terminal(), Archive.open(verify) as archive:
                asyncio.run(check(archive, say))
                lines = [*summary(archive.manifest), "The backup is whole."]
        else:
            made = asyncio.run(
                backups.back_up(
                    Home.locate(),
                    to,
                    keys=keys is not Keys.NONE,
                    files=not no_files,
                    passphrase=_new_passphrase(passphrase_file) if keys is Keys.SEALED else None,
                    say=say,
                )
            )
            lines = told(made)
        for line in lines:
            terminal.line(escape(line))


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    *,
    home: Annotated[
        Path | None, typer.Option(help="Folder that it goes to [PEYVAND_HOME; else .peyvand].")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Set aside what is in the folder.")
    ] = False,
    keys: Annotated[
        Path | None, typer.Option(help="The keys, when they do not lie beside the backup.")
    ] = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="With new keys: every node joins anew.")
    ] = False,
    no_start: Annotated[
        bool,
        typer.Option("--no-start", help="Do not start the network to fill streams and picture."),
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Put a backup back into a folder without data; it is there whole, or not at all."""
    from hubkit.backup.archive import Archive
    from hubkit.backup.commands import summary
    from hubkit.backup.keys import keys_beside
    from peyvandctl import backups
    from peyvandctl.paths import Home

    with _terminal() as (terminal, say):
        place = Home.locate(home)
        with backups.told_at_the_terminal(), Archive.open(file) as archive:
            identity = None
            if not without_keys:
                beside = keys or keys_beside(file)
                identity = backups.open_keys(
                    archive, beside, _known_passphrase(beside, passphrase_file)
                )
            work = backups.Restore(archive, place, say)
            aside = asyncio.run(work.run(identity, replace=replace, trial=not no_start))
            lines = summary(archive.manifest)
        for line in lines:
            terminal.line(escape(line))
        if aside is not None:
            terminal.line(f"What was there is in {escape(str(aside))}")
        terminal.line(f"[green]Restored into {escape(str(place.root))}[/]; start it: make run")


def _new_passphrase(file: Path | None) -> str:
    from hubkit.backup import keys

    found = keys.given_passphrase(file)
    if found is None and sys.stdin.isatty():
        found = typer.prompt("Passphrase for the keys", hide_input=True, confirmation_prompt=True)
        keys.require_good(found)
    if found is None:
        from hubkit.backup.commands import NO_PASSPHRASE

        raise ClusterError(NO_PASSPHRASE.message, NO_PASSPHRASE.mend)
    return found


def _known_passphrase(path: Path, file: Path | None) -> str | None:
    from hubkit.backup import keys

    found = keys.given_passphrase(file)
    if found is None and sys.stdin.isatty() and keys.are_sealed(path):
        found = str(typer.prompt("Passphrase of the keys", hide_input=True))
    return found


@contextmanager
def _terminal() -> Generator[tuple[Terminal, Callable[[str], None]]]:
    """Show what is done, and what went wrong."""
    from hubkit.errors import HubError

    terminal = Terminal("en")
    try:
        with _progress(terminal) as say:
            yield terminal, say
    except (ClusterError, HubError) as error:
        terminal.fail(ClusterError(error.message, error.mend))
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@contextmanager
def _progress(terminal: Terminal) -> Generator[Callable[[str], None]]:
    """Show what is done: in one line at a terminal, else line by line."""
    if not terminal.err.is_terminal:
        yield lambda text: terminal.err.print(escape(text))
        return
    status = terminal.err.status("Reading")

    def say(text: str) -> None:
        # Not before there is something to say: somebody may be asked for a passphrase first.
        status.start()
        status.update(escape(text))

    try:
        yield say
    finally:
        status.stop()
