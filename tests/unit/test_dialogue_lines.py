"""Tables of dialogue: what a row says, and that a bad one is a sentence with its line number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vivant.dialogue.lines import Line, Table, Usual, read_table
from vivant.errors import InputError
from vivant.types import Controls, Emotion

pytestmark = pytest.mark.unit

USUAL = Usual(".anim", Controls(mouth=1.5), 9)


def table(tmp_path: Path, content: str | bytes, name: str = "lines.csv") -> Table:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, USUAL)


def good(found: Table) -> list[Line]:
    assert all(isinstance(line, Line) for line in found.lines), found.lines
    return [line for line in found.lines if isinstance(line, Line)]


FULL = [
    ["file", "character", "emotion", "intensity", "seed", "output"],
    ["a.wav", "ada", "Happy", "0.5", "3", "greeting"],
    ["sub/b.wav", "", "", "", "", ""],
    ["c.wav", "bram", "sad", "", "", "c.01.glb"],
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_a_row_says(tmp_path: Path, delimiter: str, encoding: str) -> None:
    first, second, third = good(table(tmp_path, "\r\n".join(delimiter.join(row) for row in FULL).encode(encoding)))
    assert (first.sound, str(first.out), first.seed) == (tmp_path / "a.wav", "ada/greeting.anim", 3)
    assert (first.controls.emotion, first.controls.intensity, first.controls.mouth) == (Emotion.HAPPY, 0.5, 1.5)
    assert (second.sound, str(second.out), second.seed) == (tmp_path / "sub" / "b.wav", "b.anim", 9)
    assert second.controls == USUAL.controls
    assert str(third.out) == "bram/c.01.glb" and third.place == "lines.csv:4"


def test_json_says_the_same(tmp_path: Path) -> None:
    rows = [{key: value for key, value in zip(FULL[0], row, strict=True) if value} for row in FULL[1:]]
    rows[0] |= {"intensity": 0.5, "seed": 3}  # type: ignore[dict-item]
    of_json = good(table(tmp_path, json.dumps(rows), "lines.json"))
    of_csv = good(table(tmp_path, "\n".join(",".join(row) for row in FULL)))
    assert [(line.sound, line.out, line.controls, line.seed) for line in of_json] == [
        (line.sound, line.out, line.controls, line.seed) for line in of_csv
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a.wav,hapy,1,1,x", ["emotion must be one of", "'hapy'"]),
        ("a.wav,happy,3,1,x", ["intensity must be from 0 to 2, got 3"]),
        ("a.wav,happy,loud,1,x", ["intensity must be a number, got 'loud'"]),
        ("a.wav,happy,nan,1,x", ["intensity", "nan"]),
        ("a.wav,happy,1,1.5,x", ["seed", "1.5"]),
        ("a.wav,happy,1,-1,x", ["seed", "-1"]),
        ("a.wav,happy,1,1,../x", ["'../x' would lie outside"]),
        ("a.wav,happy,1,1,/x", ["'/x' would lie outside"]),
        ("a.wav,happy,1,1,C:\\x", ["outside"]),
        ("a.wav,happy,1,1,.", ["outside"]),
        ("a.wav,happy,1,1,x,y,z", ["7 cells in 6 columns"]),
        ("a.wav,happy,1,1,..\\x", ["outside"]),
        (",happy,1,1,x", ["neither a 'file' nor a 'text'"]),
        (",happy,1,1,x,?!", ["neither a 'file' nor a 'text'"]),
    ],
)
def test_a_bad_row_has_its_line_number_and_the_others_stay(tmp_path: Path, row: str, words: list[str]) -> None:
    found = table(tmp_path, f'file,emotion,intensity,seed,output,text\ng.wav,,,,first,"Hello\nthere"\n{row}\nb.wav,,,,last\n')
    bad = [line for line in found.lines if isinstance(line, InputError)]
    (sentence,) = map(str, bad)
    assert sentence.startswith("lines.csv:4: ") and all(word in sentence for word in words)  # the row before has two lines
    assert str(found.lines[-1].out) == "last.anim"  # type: ignore[union-attr]


@pytest.mark.parametrize("character", ["..\\..\\ada", "\\ada", "C:\\ada", "../ada", "/ada"])
def test_no_character_leads_out_of_the_folder_on_any_system(tmp_path: Path, character: str) -> None:
    (line,) = table(tmp_path, f"file,character\na.wav,{character}\n").lines
    assert isinstance(line, InputError) and "outside of the folder" in str(line)


@pytest.mark.parametrize(
    "name", ["Szene\u00a01.wav", "3.00\u202fPM.wav", "場面\u30001.wav", "می\u200cشود.wav", "👩\u200d🚀.wav"]
)
def test_names_of_any_language_are_names(tmp_path: Path, name: str) -> None:
    """With the spaces and joiners of macOS's screenshots, Japanese, Persian and emoji."""
    (line,) = good(table(tmp_path, f"file\n{name}\n"))
    assert line.sound == tmp_path / name


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_any_system_and_empty_ones(tmp_path: Path, end: str) -> None:
    """A comma in a text does not make commas of semicolons, nor an empty line the header."""
    (line,) = good(table(tmp_path, end.join(["", " ", "file;text", "", "a.wav;one, two, three, four", ";", ""])))
    assert (line.sound.name, line.text, line.place) == ("a.wav", "one, two, three, four", "lines.csv:5")


@pytest.mark.parametrize("name", ["a\0.wav", "a\x1b[2J.wav", "a\x7f.wav", "a\x85.wav"])
def test_control_characters_are_in_no_name(tmp_path: Path, name: str) -> None:
    (found,) = table(tmp_path, f'file\n"{name}"\n').lines
    assert isinstance(found, InputError) and "file must be a text" in str(found)


def test_a_text_without_a_sound_is_for_a_voice(tmp_path: Path) -> None:
    """Its own, or the usual one; a row with a sound needs none."""
    rows = ["file,text,voice,character,output", "a.wav,Hello,hibari,,", ",Good bye!,,ada,", ",Bye.,espeak-ng:en-gb,ada,end.glb"]
    given, usual, own = good(table(tmp_path, "\n".join(rows)))
    assert (given.sound, given.voice) == (tmp_path / "a.wav", "")
    assert (usual.text, usual.voice, str(usual.out), usual.sound) == (
        "Good bye!",
        "auto",
        "ada/good_bye.anim",
        Path("ada/good_bye.wav"),
    )
    assert (own.voice, str(own.out), own.sound) == ("espeak-ng:en-gb", "ada/end.glb", Path("ada/end.wav"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../Where, if anywhere, have you been all of this long winter?", "where_if_anywhere_have_you_been_all_of"),
        ("C:\\con? Don't!", "c_con_don_t"),
        ("नमस्ते, दुनिया", "नमस्ते_दुनिया"),
        ("長" * 90, "長" * 40),
    ],
)
def test_a_text_names_its_result_by_its_first_words(tmp_path: Path, text: str, name: str) -> None:
    (line,) = good(table(tmp_path, json.dumps([{"text": text}]), "lines.json"))
    assert str(line.out) == f"{name}.anim"


@pytest.mark.parametrize(
    "row", [3, None, "a.wav", [], [1, [2]], {"file": 3}, {"file": "a\u001b.wav"}, {"file": "a", "seed": True}]
)
def test_json_of_any_kind_is_a_sentence(tmp_path: Path, row: object) -> None:
    first, second, third = table(tmp_path, json.dumps([{"file": "[,.wav"}, row, row], indent=1), "lines.json").lines
    assert isinstance(first, Line) and first.place == "lines.json:2"
    assert str(second).startswith("lines.json:5: ") and str(third).startswith("lines.json:")


def test_columns_that_mean_nothing_are_told(tmp_path: Path) -> None:
    assert table(tmp_path, "File,emotoin,no\x1btes\na.wav,happy,loud\n").unread == ["emotoin", "notes"]


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("lines.xlsx", b"", "ends in .csv, .tsv, .json"),
        ("lines.csv", b"", "no column 'file'"),
        ("lines.csv", b"a.wav,b.wav\n", "no column 'file'"),
        ("lines.csv", b"file\n\xff\xfe.wav", "not in UTF-8"),
        ("lines.csv", b"file,text,file\na.wav,hi,b.wav\n", "two columns 'file'"),
        ("lines.csv", b'file\n"a.wav', "cannot be read as a table"),
        ("lines.json", b"{", "cannot be read as a table"),
        ("lines.json", b"[" * 100_000, "cannot be read as a table"),
        ("lines.json", b'{"file": "a.wav"}', "must hold a list"),
    ],
)
def test_what_is_no_table_is_a_sentence(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    with pytest.raises(InputError, match=word):
        table(tmp_path, content, name)
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "missing.csv", USUAL)
