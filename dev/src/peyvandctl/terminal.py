"""What commands show, in the language of who reads: tables, JSON, and what went wrong."""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer
from google.protobuf import descriptor_pool
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from peyvandctl.client import Access, Api, ApiError
from peyvandctl.errors import ClusterError
from servicekit.contract import contract, enum_names, value_label

P = ParamSpec("P")

UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Address of the gateway [PEYVAND_URL; else the network here]."),
]
TokenOption = Annotated[
    str | None,
    typer.Option("--token", help="Bearer token [PEYVAND_TOKEN; else one of the local issuer]."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="Show at most so many.")]
LanguageOption = Annotated[
    str | None, typer.Option("--lang", help="en or fa [PEYVAND_LANG; else LANG].")
]

_FA = {
    "Code": "کد",
    "Center": "مرکز",
    "Province": "استان",
    "State": "وضعیت",
    "Liveness": "تازگی",
    "Projects": "طرح‌ها",
    "Project": "طرح",
    "Stage": "مرحله",
    "Pathway": "مسیر",
    "Kind": "گونه",
    "Agreement": "سند همکاری",
    "Signed": "امضا",
    "Expires": "انقضا",
    "Node": "گره",
    "Name": "نام",
    "Credentials until": "اعتبارنامه تا",
    "Alert": "هشدار",
    "What is the matter": "موضوع",
    "Since": "از",
    "There is nothing to look at.": "چیزی برای رسیدگی نیست.",
    "Escalated": "به سطح بالاتر رفته",
    "Report": "گزارش",
    "Month": "ماه",
    "Revision": "ویرایش",
    "Approved": "تأییدشده",
    "approved": "تأییدشده",
    "activity": "فعالیت مراکز در",
    "samples_processed": "نمونه‌های پردازش‌شده",
    "products_released": "فرآورده‌های ترخیص‌شده",
    "procedures": "درمان‌ها",
    "trainees": "آموزش‌دیدگان",
    "articles": "مقاله‌ها",
    "Feed": "جریان",
    "Late after": "دیرکرده پس از",
    "Stale after": "کهنه پس از",
    "Offline after": "برون‌خط پس از",
    "usual": "معمول شبکه",
    "Criterion": "معیار",
    "What would satisfy it": "آنچه آن را برآورده می‌کند",
    "All that is needed is there.": "هرچه لازم است فراهم است.",
    "Left open at an earlier gate": "بازمانده از دروازهٔ پیشین",
    "Overdue": "سررسیدگذشته",
    "Gate": "دروازه",
    "Opened by": "گشاینده",
    "Quorum": "حد نصاب",
    "Hash of what is reviewed": "درهم‌ساز آنچه بررسی می‌شود",
    "Member": "عضو",
    "Role": "نقش",
    "Interests": "تعارض منافع",
    "Vote": "رأی",
    "Why": "چرا",
    "proposed by": "پیشنهاد",
    "active": "فعال",
    "on_hold": "متوقف",
    "completed": "به‌سرانجام‌رسیده",
    "killed": "پایان‌داده‌شده",
    "Times": "زمان‌ها",
    "decided": "تصمیم‌گرفته",
    "median": "میانه",
    "waiting": "در انتظار",
    "expected": "میانه با منتظران",
    "days": "روز",
    "Killed": "پایان‌داده‌شده",
    "Reasons": "دلیل‌ها",
    "Money": "پول",
    "Currency": "ارز",
    "awarded": "اعطاشده",
    "released": "پرداخت‌شده",
    "committed": "در تعهد",
    "to killed": "به پایان‌داده‌شده‌ها",
    "lapsed": "منتفی‌شده",
    "Stuck": "معطل‌مانده",
    "stuck": "معطل‌مانده",
    "Rows of": "ردیف‌های",
    "Rows": "ردیف",
    "Created": "ساخته‌شده",
    "Updated": "تغییرکرده",
    "Unchanged": "بی‌تغییر",
    "Refused": "ردشده",
    "line": "سطر",
    "unknown": "نامعلوم",
    "sample data": "دادهٔ نمونه",
    "as of": "تا",
    "of": "از",
    "centers": "مراکز",
    "fresh_centers": "مراکز با خبر تازه",
    "projects": "طرح‌ها",
    "companies": "شرکت‌ها",
    "institutions": "نهادها",
    "agreements": "اسناد همکاری",
    "activities": "فعالیت‌ها",
    "alerts": "هشدارها",
    "open_action_items": "کارهای باز",
    "inferred": "استنباطی",
    "Every row can be applied; nothing was written.": ("همهٔ ردیف‌ها پذیرفتنی‌اند؛ چیزی نوشته نشد."),
    "There is no row in it.": "هیچ ردیفی در آن نیست.",
    "Done.": "انجام شد.",
    "It is as it was made.": "همان است که ساخته شده بود.",
    "Withheld from who asked:": "آنچه به درخواست‌کننده داده نشده است:",
    "Some rows were refused; all others are applied.": (
        "برخی ردیف‌ها پذیرفته نشدند؛ بقیه اعمال شده‌اند."
    ),
    "Rows break rules; nothing was written.": "برخی ردیف‌ها پذیرفتنی نیستند؛ چیزی نوشته نشد.",
    "It broke off. Send the same file again: what is applied stays.": (
        "نیمه‌کاره ماند. همین پرونده را دوباره بفرستید: آنچه اعمال شده می‌ماند."
    ),
}
# Wide enough for any name: a program that reads a table wants a line for each row.
_NO_EDGE = 10_000


@functools.cache
def _labels(enum: str) -> dict[str, str]:
    contract()  # which makes its descriptors known
    found = descriptor_pool.Default().FindEnumTypeByName(f"peyvand.{enum}")
    names = enum_names(found)
    return {
        names[value.number]: label for value in found.values if (label := value_label(value).fa)
    }


class Terminal:
    """Shows results on standard output; progress and faults on standard error."""

    def __init__(self, language: str, *, as_json: bool = False) -> None:
        self.language = language
        self.as_json = as_json
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def word(self, text: str) -> str:
        """Say a word of the interface in the reader's language."""
        return _FA.get(text, text) if self.language == "fa" else text

    def text(self, localized: Mapping[str, Any] | None) -> str:
        """Give a text of the API in the reader's language, else in the other one."""
        if not localized:
            return self.word("unknown")
        other = "en" if self.language == "fa" else "fa"
        return str(localized.get(self.language) or localized.get(other) or self.word("unknown"))

    def label(self, enum: str, value: str) -> str:
        """Name a value of an enum of the contract, e.g. ``centers.v1.CenterState``.

        In English it is the value itself, which is what filters take.
        """
        return _labels(enum).get(value, value) if self.language == "fa" else value

    def labelled(self, item: Mapping[str, Any], field: str) -> str:
        """Give a text of a resource, which says so where it is sample data."""
        label = f" ({self.word('sample data')})" if item["sample"] else ""
        return self.text(item[field]) + label

    def date(self, imprecise: Mapping[str, Any] | None) -> str:
        """Give a date as well as it is known."""
        if not imprecise:
            return self.word("unknown")
        mark = f" ({self.word('inferred')})" if imprecise.get("inferred") else ""
        return f"{imprecise['value']}{mark}"

    def json(self, document: object) -> None:
        """Print a document for programs."""
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))

    def line(self, text: str) -> None:
        """Print one line, marked up."""
        self.out.print(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows under headings."""
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(self.word(column), overflow="fold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        console = Console(highlight=False)
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console.width = _NO_EDGE
        console.print(table)

    def fail(self, error: ClusterError) -> None:
        """Say what went wrong and what to do about it."""
        if self.as_json:
            problem = error.problem if isinstance(error, ApiError) else {}
            document = problem or {"detail": error.message, "mend": error.mend}
            typer.echo(json.dumps(document, ensure_ascii=False, indent=2), err=True)
            return
        self.err.print(f"[bold red]{escape(error.message)}[/]")
        if isinstance(error, ApiError):
            for item in error.problem.get("errors", ()):
                self.err.print(f"  {escape(broken_rule(item, self.word('line')))}")
        if error.mend:
            self.err.print(escape(error.mend))


def broken_rule(item: Mapping[str, Any], line: str = "line") -> str:
    """Tell a broken rule of a problem document in one line: where, what, and the rule.

    `line` is what the reader calls a line of a file.
    """
    place = item.get("field") or item.get("parameter") or item.get("header") or ""
    where = f"{line} {item['line']}" if "line" in item else item.get("pointer", "")
    head = ", ".join(str(part) for part in (where, place) if part)
    return f"{head}: {item['detail']} [{item['rule']}]" if head else str(item["detail"])


def language_of(chosen: str | None) -> str:
    """Take what is given, else the environment; English when it says nothing of Persian.

    Raises:
        ClusterError: the language given is neither.
    """
    if chosen is not None and chosen not in ("en", "fa"):
        raise ClusterError(f"There is no language {chosen}.", "Languages: en, fa")
    said = chosen or os.environ.get("PEYVAND_LANG") or os.environ.get("LANG") or ""
    return "fa" if said.startswith("fa") else "en"


@contextmanager
def session(
    url: str | None, token: str | None, language: str | None, *, as_json: bool
) -> Generator[tuple[Api, Terminal]]:
    """Open the API and a terminal; a fault ends the program with its exit status."""
    terminal = Terminal("en", as_json=as_json)
    try:
        terminal.language = language_of(language)
        with Api(Access.locate(url, token, terminal.language)) as api:
            yield api, terminal
    except ClusterError as error:
        terminal.fail(error)
        code = error.exit_code if isinstance(error, ApiError) else 1
        raise typer.Exit(code) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def with_session(command: Callable[Concatenate[Api, Terminal, P], None]) -> Callable[..., None]:
    """Give a command the options by which all ask the network, and what comes of them.

    It is called with the open API and the terminal before its own arguments; what it asks
    for is in `Terminal.as_json`.
    """

    @functools.wraps(command)
    def asked(
        *arguments: Any,
        url: str | None = None,
        token: str | None = None,
        as_json: bool = False,
        lang: str | None = None,
        **options: Any,
    ) -> None:
        with session(url, token, lang, as_json=as_json) as (api, terminal):
            command(api, terminal, *arguments, **options)

    kind = inspect.Parameter.KEYWORD_ONLY
    hints = get_type_hints(command, include_extras=True)
    own = list(inspect.signature(command).parameters.values())[2:]
    asking = [
        inspect.Parameter("url", kind, default=None, annotation=UrlOption),
        inspect.Parameter("token", kind, default=None, annotation=TokenOption),
        inspect.Parameter("as_json", kind, default=False, annotation=JsonOption),
        inspect.Parameter("lang", kind, default=None, annotation=LanguageOption),
    ]
    parameters = [item.replace(annotation=hints[item.name]) for item in own] + asking
    # typer reads both.
    vars(asked)["__signature__"] = inspect.Signature(parameters)
    asked.__annotations__ = {item.name: item.annotation for item in parameters}
    return asked
