"""Reading batch files."""

import io
from pathlib import Path

import pytest

from seedance_async.batch.rows import read_rows
from seedance_async.core.rows import RowFormat, RowSource
from seedance_async.errors import InputError


def _read(folder: Path, name: str, content: str | bytes) -> RowSource:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(file)


def _refused(folder: Path, name: str, content: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        _read(folder, name, content)
    return str(caught.value)


def _prompts(source: RowSource) -> list[object]:
    return [row.fields.get("prompt") for row in source.rows]


def _problems(source: RowSource) -> str:
    return "\n".join(str(problem) for problem in source.problems)


def test_jsonl_gives_fields_reserved_columns_and_carried_ones(tmp_path: Path) -> None:
    """Each key of a JSON line goes where its name says; null means not given; blank lines are skipped."""
    source = _read(
        tmp_path,
        "a.jsonl",
        '{"prompt": "a lake", "duration": 8, "seed": null, "id": 17, "output": "x/lake.mp4", "#scene": [1]}\n\n'
        '{"prompt": "a\u2028hill", "images": ["https://a.example/1.png"]}\r\n',
    )
    first, second = source.rows
    assert (first.line, first.id, first.output) == (1, "17", "x/lake.mp4")
    assert first.fields == {"prompt": "a lake", "duration": 8}
    assert first.carried == {"#scene": [1]}
    assert (second.line, second.id, second.output) == (3, None, None)
    assert second.fields == {"prompt": "a\u2028hill", "images": ("https://a.example/1.png",)}
    assert source.problems == ()
    assert source.columns == ("prompt", "duration", "seed", "id", "output", "#scene", "images")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"prompt": "a",}', "broken JSON at column"),
        ('{"prompt": "a"', "broken JSON at column"),
        ('{"prompt": "a', "Unterminated string starting here"),
        ('["a"]', "must be a JSON object"),
        ('"a"', "must be a JSON object"),
        ('{"prompt": "a", "prompt": "b"}', "names 'prompt' twice"),
        ('{"prompt": "a", "seed": NaN}', "NaN"),
        ('{"prompt": "a", "aspect_ration": "1:1"}', "did you mean 'aspect_ratio'?"),
        ('{"prompt": "a", "id": 1.5}', "id: must be text"),
        ('{"prompt": "a", "id": true}', "id: must be text"),
    ],
)
def test_a_broken_jsonl_line_is_named_and_the_others_are_read(tmp_path: Path, line: str, says: str) -> None:
    """A problem names file and line 7, and does not hide the problems of later lines."""
    content = '{"prompt": "fine"}\n' * 6 + line + "\n" + "{}}\n"
    source = _read(tmp_path, "a.jsonl", content)
    text = _problems(source)
    assert f"{tmp_path / 'a.jsonl'}, line 7" in text
    assert says in text
    assert "line 8" in text
    assert _prompts(source)[:6] == ["fine"] * 6


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_csv_in_every_common_dialect(tmp_path: Path, delimiter: str, bom: str, ending: str) -> None:
    """Delimiter, byte order mark and line ends are recognised; quoted cells keep delimiters and line breaks."""
    lines = [
        ["prompt", "duration", "#note", "id"],
        [f'"a lake{delimiter} ""at"" dawn{ending}second line"', "", "x;y,z".replace(delimiter, "-"), "one"],
        ["", "", "", ""],
        ["a hill", "8", "", "two"],
    ]
    source = _read(tmp_path, "a.csv", bom + ending.join(delimiter.join(line) for line in lines) + ending)
    assert source.problems == ()
    assert (source.delimiter, source.bom) == (delimiter, bool(bom))
    first, second = source.rows
    assert first.fields == {"prompt": f'a lake{delimiter} "at" dawn{ending}second line'}
    assert (first.line, first.id) == (2, "one")
    # The quoted line break makes the first row two lines long, and the empty row is line 4.
    assert (second.line, second.id) == (5, "two")
    assert second.fields["prompt"] == "a hill"
    assert first.carried["#note"] == "x;y,z".replace(delimiter, "-")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a lake at dawn\na hill\n", "line 1: has no known column name"),
        ("prompt,prompt\na,b\n", "line 1: names a column twice"),
        ("prompt,aspect_ration\na,1:1\n", "did you mean 'aspect_ratio'?"),
        ("id;txt\n1;a\n", "line 1: txt: no input has such a field"),
    ],
)
def test_a_csv_without_a_usable_header_is_refused(tmp_path: Path, content: str, says: str) -> None:
    """A header that means nothing, or twice the same, is one problem and not one per row."""
    assert says in _refused(tmp_path, "a.csv", content)


def test_a_csv_cell_without_a_column_is_a_problem(tmp_path: Path) -> None:
    """An unquoted comma in a prompt must not cut it; empty surplus cells are harmless."""
    source = _read(tmp_path, "a.csv", "prompt,duration,\na lake,5,\na lake, at dawn,5\na hill,5,,,\na sea\n")
    assert "line 3: has a cell in column 3, which has no name" in _problems(source)
    assert len(source.problems) == 1
    assert _prompts(source) == ["a lake", "a hill", "a sea"]


def test_a_quote_that_never_closes_does_not_swallow_the_file(tmp_path: Path) -> None:
    """The row where the quote opens is named."""
    source = _read(tmp_path, "a.csv", 'prompt,duration\na lake,5\n"a hill,5\na sea,5\n')
    assert "line 3: the quotes of this row do not match" in _problems(source)
    assert _prompts(source) == ["a lake"]


def test_plain_text_is_one_prompt_a_line(tmp_path: Path) -> None:
    """Blank lines and comments are skipped, and comments are counted because a prompt might be among them."""
    source = _read(tmp_path, "a.txt", "\ufeff# scenes\n\na lake, at dawn\r\n  a hill\n   \n#2\nthe end")
    assert [(row.line, row.fields["prompt"]) for row in source.rows] == [
        (3, "a lake, at dawn"),
        (4, "a hill"),
        (7, "the end"),
    ]
    assert source.comments == 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('\n  {"prompt": "a"}\n', "jsonl"),
        ("id;prompt\n1;a\n", "csv"),
        ('"prompt"\na\n', "csv"),
        ("prompt\tid\na\t1\n", "csv"),
        ("id,duration\n1,5\n", "csv"),
        ("#note,prompt\nx,a\n", "csv"),
        ("a lake, at dawn\n", "text"),
        ("# lakes at dawn, the first scene\na lake\n", "text"),
        ("prompting, a lake\n", "text"),
        ("[fail:server] a lake\n", "text"),
    ],
)
def test_the_format_of_standard_input_follows_from_its_content(content: str, expected: RowFormat) -> None:
    """`-` reads standard input, whichever format it has."""
    source = read_rows("-", stdin=io.BytesIO(content.encode()))
    assert source.format == expected
    assert source.name == "standard input"


@pytest.mark.parametrize(
    "content",
    ["Prompt,Duration\na,5\n", "Prompt\na\n", "text;duration\na;5\n", "# lakes\nprompt,duration\na,5\n"],
)
def test_a_table_is_never_taken_for_prompts(content: str) -> None:
    """Its header and rows would be sent and paid for; it is refused instead."""
    with pytest.raises(InputError):
        read_rows("-", stdin=io.BytesIO(content.encode()))


@pytest.mark.parametrize("content", ["Prompt,Duration\na,5\n", "Prompt;Duration\na;5\n"])
def test_a_header_in_capitals_gets_suggestions(tmp_path: Path, content: str) -> None:
    """It is nearly right."""
    text = _refused(tmp_path, "a.csv", content)
    assert "did you mean 'prompt'?" in text
    assert "did you mean 'duration'?" in text


def test_the_format_may_be_given() -> None:
    """An explicit format wins over the content."""
    source = read_rows("-", stdin=io.BytesIO(b'{"prompt": "a"}\n'), input_format="text")
    assert _prompts(source) == ['{"prompt": "a"}']


def test_standard_input_must_be_given() -> None:
    """Forgetting to pass standard input is a programming error."""
    with pytest.raises(ValueError, match="stdin"):
        read_rows("-")


@pytest.mark.parametrize("name", ["a.xlsx", "A.XLS", "a.ods"])
def test_a_spreadsheet_is_refused_with_the_way_out(tmp_path: Path, name: str) -> None:
    """The message says how to export, whether or not the file exists."""
    with pytest.raises(InputError, match=r"export it as CSV.*CSV UTF-8"):
        read_rows(tmp_path / name)


@pytest.mark.parametrize("content", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest"])
def test_a_spreadsheet_under_another_name_is_recognised(tmp_path: Path, content: bytes) -> None:
    """Renaming an .xlsx does not export it."""
    assert "is a spreadsheet" in _refused(tmp_path, "a.csv", content)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b"", "is empty"),
        ("a.csv", b"\xef\xbb\xbf \n\n", "is empty"),
        ("a.txt", b"a lake\na caf\xe9\n", "a.txt, line 2: is not UTF-8 text: byte 0xe9 at offset 12"),
        ("a.txt", b"\xef\xbb\xbfa caf\xe9\n", "byte 0xe9 at offset 8"),
        ("a.csv", "prompt\na".encode("utf-16"), "is UTF-16 text"),
        ("a.json", b'[{"prompt": "a"}]', "is not JSON Lines"),
    ],
)
def test_a_file_that_is_no_batch_file_is_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    """Each says what is wrong, with the name of the file."""
    assert says in _refused(tmp_path, name, content)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """The message names the path as it was given."""
    with pytest.raises(InputError, match=r"nowhere\.csv: there is no such file"):
        read_rows(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_rows(tmp_path)
