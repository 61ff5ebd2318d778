"""YAML and JSON files: what is read, on which line it stands, and what is not taken."""

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.imports.documents import read_json, read_yaml
from gateway.imports.nodes import Items, Members, Node, Scalar, line_of
from servicekit.errors import Fault

FILE = """\
# A comment does not count as a value, its line does.
centers:
  - code: TBZ
    names:
      fa: تبریز

  - code: "007"
    contact: {phones: [
      "+98 41", "+98 42"]}
"""


def plain(node: Node) -> object:
    match node:
        case Scalar():
            return node.value
        case Items():
            return [plain(item) for item in node.values]
        case Members():
            return {name: plain(item) for name, item in node.values.items()}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("centers[0]", 3),
        ("centers[0].names.fa", 5),
        ("centers[1].code", 7),
        ("centers[1].contact.phones[1]", 9),
        # What is missing stands where it would have to stand.
        ("centers[1].names.fa", 7),
        ("centers[7]", 3),
    ],
)
def test_every_value_knows_its_line(path: str, line: int) -> None:
    assert line_of(read_yaml(FILE.encode()), path) == line


def test_json_values_know_their_lines_too() -> None:
    text = '{\n "centers": [\n  {"code": "A\\n\\u0041",\n   "names": {"fa": "ب"}\n  },\n  {}\n ]\n}'
    root = read_json(text.encode())
    assert plain(root) == json.loads(text)
    assert line_of(root, "centers[0].names.fa") == 4
    assert line_of(root, "centers[1]") == 6


@pytest.mark.parametrize(
    ("written", "value", "text"),
    [
        ("2020", 2020, "2020"),
        ("007", "007", "007"),
        ("2025-04-25", "2025-04-25", "2025-04-25"),
        ("no", "no", "no"),
        ("12:30:45", "12:30:45", "12:30:45"),
        ("~", None, "~"),
        ("true", True, "true"),
        ("1.5e3", 1500.0, "1.5e3"),
        ('"2020"', "2020", None),
        ("'~'", "~", None),
    ],
)
def test_plain_values_keep_how_they_are_written(
    written: str, value: str | float | bool | None, text: str | None
) -> None:
    root = read_yaml(f"key: {written}\n".encode())
    assert isinstance(root, Members)
    assert root.values["key"] == Scalar(value, 1, text)


@pytest.mark.parametrize(
    ("written", "detail"),
    [
        (b"a: &x 1\nb: *x\n", "anchors are not taken at line 1"),
        (b"a: 1\nb: *x\n", "aliases are not taken at line 2"),
        (b"a: !!python/object:os.system x\n", "tags are not taken at line 1"),
        (b"a: 1\na: 2\n", "the key 'a' stands twice at line 2"),
        (b"a: 1\n---\nb: 2\n", "a second document begins at line 2"),
        (b"a: [1, 2\nb: 3\n", "line"),
        (b"? [1]\n: 2\n", "a key must be a text at line 1"),
        (b"", "it is empty"),
        (b"# nothing\n", "it is empty"),
        (b"[" * 40 + b"]" * 40, "nested deeper than 16 levels"),
    ],
)
def test_what_no_data_file_needs_is_refused(written: bytes, detail: str) -> None:
    with pytest.raises(Fault) as caught:
        read_yaml(written)
    assert caught.value.reason == "MALFORMED_FILE"
    assert detail in caught.value.params["detail"]


@pytest.mark.parametrize(
    "written",
    [b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": "\\ud800"}', b"{", b"[" * 20 + b"]" * 20],
)
def test_json_is_read_strictly(written: bytes) -> None:
    with pytest.raises(Fault) as caught:
        read_json(written)
    assert caught.value.reason == "MALFORMED_FILE"


@pytest.mark.parametrize("read", [read_yaml, read_json])
def test_a_file_in_another_encoding_is_refused_with_its_line(
    read: Callable[[bytes], Node],
) -> None:
    with pytest.raises(Fault) as caught:
        read("{\n}\nمرکز".encode("cp1256"))
    assert (caught.value.reason, caught.value.params) == ("NOT_UTF_8", {"line": "3"})


def test_a_flood_of_values_is_refused() -> None:
    with pytest.raises(Fault) as caught:
        read_yaml(b"[" + b"1," * 300_001 + b"]")
    assert "more than 300000 values" in caught.value.params["detail"]


documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(documents)
def test_the_json_scanner_agrees_with_the_standard_parser(document: object) -> None:
    text = json.dumps(document, indent=1)
    assert plain(read_json(text.encode())) == document


def reasons(raw: bytes) -> Iterator[str]:
    for read in (read_yaml, read_json):
        try:
            read(raw)
        except Fault as fault:
            yield fault.reason


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_no_file_breaks_the_readers(content: str | bytes) -> None:
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    assert set(reasons(raw)) <= {"MALFORMED_FILE", "NOT_UTF_8"}
