"""How people spell in a file what the contract wants spelled in one way.

Whatever form the file has, a text with a form of its own (a key, a date, a telephone
number) is taken with Persian and Arabic digits and without marks of direction, and in
prose the Arabic letters of a keyboard that has no Persian ones become Persian.
"""

from gateway.shapes import ANY_TEXT, FieldShape, Kind

_DIGITS = {
    ord(digit): str(n) for script in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩") for n, digit in enumerate(script)
}
# Digits, the decimal separator, and the marks of direction that editors leave behind.
_EXACT = {**_DIGITS, ord("٫"): ".", **dict.fromkeys((0x200C, 0x200E, 0x200F, 0x202B, 0x202C))}
_LETTERS = {ord("ي"): "ی", ord("ى"): "ی", ord("ك"): "ک"}


def exact(text: str) -> str:
    """A text that has a form of its own, as the form has it."""
    return text.translate(_EXACT).strip()


def prose(text: str, language: str = "") -> str:
    """A text for people, with Persian letters unless it is Arabic."""
    return text if language.partition("-")[0] == "ar" else text.translate(_LETTERS)


def is_prose(shape: FieldShape) -> bool:
    """Tell whether the text of a field is for people."""
    return shape.kind is Kind.TEXT and shape.pattern == ANY_TEXT


def spelled(text: str, shape: FieldShape, language: str = "") -> str:
    """The text of a field as the contract has it; `language` is that of the text, if known."""
    return prose(text, language) if is_prose(shape) else exact(text)
