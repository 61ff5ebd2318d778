"""``peyvand dossier``: the whole history of a project, and whether one was changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape

from peyvandctl.client import Api
from peyvandctl.errors import ClusterError
from peyvandctl.terminal import (
    JsonOption,
    LanguageOption,
    Terminal,
    TokenOption,
    UrlOption,
    language_of,
    session,
)


def dossier(
    project: Annotated[str | None, typer.Argument(help="Id of the project.")] = None,
    *,
    pdf: Annotated[bool, typer.Option("--pdf", help="The document to read and print.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Where to write it; JSON goes to standard output else.")
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(help="Check this dossier (JSON); asks nobody.")
    ] = None,
    evidence_folder: Annotated[
        Path | None, typer.Option(help="With --verify: where the files of its evidence are.")
    ] = None,
    expect: Annotated[
        str | None, typer.Option(help="With --verify: the SHA-256 of its manifest, as printed.")
    ] = None,
    expect_decision: Annotated[
        str | None, typer.Option(help="With --verify: the hash of a decision, as written down.")
    ] = None,
    url: UrlOption = None,
    token: TokenOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Write the dossier of a project, or check one with --verify.

    Exit status: 0 when it is written, or as it was made; 1 when it was changed or files
    of its evidence are missing; 2 when the call was refused, 3 when nobody answers, 4
    when the token does not allow it.
    """
    if verify is not None:
        expected = _Expected(expect, expect_decision)
        _verify(verify, evidence_folder, expected, as_json=as_json, lang=lang)
        return
    with session(url, token, lang, as_json=as_json) as (api, terminal):
        if project is None:
            raise ClusterError("Name a project, or a file to check: --verify FILE.")
        path = f"/v1/projects/{quote(project)}/dossier"
        content = _read(api, f"{path}.pdf" if pdf else path)
        place = output or (Path(f"dossier-{project}.pdf") if pdf else None)
        if place is None:
            typer.echo(content.decode())
            return
        place.write_bytes(content)
        terminal.err.print(escape(f"{place} ({len(content)} bytes)"))


def _read(api: Api, path: str) -> bytes:
    with api.download(path) as pieces:
        return b"".join(pieces)


@dataclass(frozen=True)
class _Expected:
    """What was written down of a dossier elsewhere: hashes, in hexadecimal, of any case."""

    manifest: str | None
    decision: str | None


def _verify(
    file: Path, folder: Path | None, expected: _Expected, *, as_json: bool, lang: str | None
) -> None:
    # Imported here: the other commands need none of it.
    from peyvandctl import dossier_check

    terminal = Terminal("en", as_json=as_json)
    try:
        terminal.language = language_of(lang)
        given = _load(file)
        found = dossier_check.check(given)
        sha256 = "" if found else given["manifest"]["sha256"]
        if sha256 and expected.manifest is not None and sha256 != _plain(expected.manifest):
            found.append(dossier_check.Finding("manifest", f"its SHA-256 is {sha256}"))
        if sha256 and expected.decision is not None:
            found += dossier_check.check_decision(given, _plain(expected.decision))
        if folder is not None and not found:
            if not folder.is_dir():
                raise ClusterError(f"There is no folder {folder}.")
            found += dossier_check.check_files(given, folder)
    except ClusterError as error:
        terminal.fail(error)
        raise typer.Exit(2) from error
    if as_json:
        findings = [{"where": item.where, "what": item.what} for item in found]
        terminal.json({"intact": not found, "sha256": sha256 or None, "findings": findings})
    elif found:
        for item in found:
            terminal.line(f"[red]{escape(str(item))}[/]")
    else:
        terminal.line(f"[green]{terminal.word('It is as it was made.')}[/] {sha256}")
        if given["manifest"]["withheld"]:
            parts = ", ".join(given["manifest"]["withheld"])
            terminal.line(f"{terminal.word('Withheld from who asked:')} {parts}")
    if found:
        raise typer.Exit(1)


def _plain(digest: str) -> str:
    return digest.strip().lower()


def _load(file: Path) -> Any:
    from peyvandctl import dossier_check

    try:
        return dossier_check.read(file.read_bytes())
    except OSError as error:
        raise ClusterError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ClusterError(f"{file} is no JSON: {error}.") from error
