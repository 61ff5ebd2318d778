"""How pages are sent: in which language, under which policy, and who may keep them."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from gateway.languages import Language, choose
from gateway.pages.wording import LANGUAGES

LANGUAGE_COOKIE = "peyvand_lang"
_YEAR = 365 * 24 * 3600
# Nothing from elsewhere, and no script, style or address base within a page.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_OF_PAGES = {
    "Content-Security-Policy": _POLICY,
    # Without a referrer a form would not say where it comes from, by plain HTTP nothing would,
    # and it would be taken for one of another site.
    "Referrer-Policy": "same-origin",
}


def page_language(request: Request, asked: str) -> Language:
    """Language of the page: asked for, chosen before, or read by the browser; else Persian."""
    for choice in (asked, request.cookies.get(LANGUAGE_COOKIE, "")):
        for language in LANGUAGES:
            if choice == language:
                return language
    return choose(f"{request.headers.get('accept-language', '')[:900]},fa;q=0.001")


def remembering(request: Request, answer: Response, lang: str) -> Response:
    """An answer that keeps the language that was asked for."""
    if lang in LANGUAGES:
        secure = request.url.scheme == "https"
        answer.set_cookie(
            LANGUAGE_COOKIE, lang, max_age=_YEAR, path="/", secure=secure, samesite="lax"
        )
    return answer


def once(html: str, language: Language, status: int) -> Response:
    """An answer that nobody keeps."""
    headers = {
        **_OF_PAGES,
        "Content-Language": language,
        "Cache-Control": "no-store",
    }
    return Response(html.encode(), status, media_type="text/html", headers=headers)


def kept(request: Request, html: str, language: Language) -> Response:
    """An answer that its reader keeps, and asks whether it still holds."""
    body = html.encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {
        **_OF_PAGES,
        "Content-Language": language,
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Language, Authorization, Cookie",
    }
    known = request.headers.get("if-none-match", "")
    if etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/html", headers=headers)
