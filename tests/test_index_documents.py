"""Documents: canonical text, hashes, ids, and what is refused."""

import codecs
import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import raw_texts

from index.documents import (
    MAX_METADATA_BYTES,
    MAX_SOURCE_LENGTH,
    MAX_TAGS,
    MAX_TITLE_LENGTH,
    Scalar,
    canonical_text,
    content_sha256,
    decode,
    document_id,
    find_files,
    make_document,
    read_document,
)
from index.errors import InvalidDocument


@given(raw_texts)
def test_canonical_text_changes_line_ends_and_leading_marks_and_nothing_else(raw: str) -> None:
    canonical = canonical_text(raw)
    assert canonical == re.sub("\r\n?", "\n", re.sub("^\ufeff+", "", raw))
    assert "\r" not in canonical
    assert not canonical.startswith("\ufeff")
    assert canonical_text(canonical) == canonical


@given(raw_texts)
def test_decoding_utf8_and_utf16_gives_the_same_canonical_text(raw: str) -> None:
    expected = canonical_text(raw)
    assert decode(raw.encode("utf-8")) == expected
    assert decode(raw.encode("utf-8-sig")) == expected
    assert decode(codecs.BOM_UTF16_LE + raw.encode("utf-16-le")) == expected
    assert decode(codecs.BOM_UTF16_BE + raw.encode("utf-16-be")) == expected


def test_text_is_not_normalised() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert canonical_text(composed) == composed
    assert canonical_text(decomposed) == decomposed
    assert make_document(composed).content_sha256 != make_document(decomposed).content_sha256


def test_a_byte_order_mark_inside_the_text_stays() -> None:
    assert canonical_text("\ufeffa\ufeffb") == "a\ufeffb"


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\r\r\nb", "a\n\nb"), ("a\n\rb", "a\n\nb"), ("\ufeff\ufeffa", "a")],
)
def test_every_line_end_becomes_one_line_feed(raw: str, canonical: str) -> None:
    assert canonical_text(raw) == canonical


@pytest.mark.parametrize("empty", ["", " ", "\n\r\n\t", "\ufeff", "\ufeff\ufeff \u3000\u2028"])
def test_text_without_any_character_to_read_is_refused(empty: str) -> None:
    with pytest.raises(InvalidDocument, match="holds no text"):
        make_document(empty)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("ab\0c", "NUL character at offset 2"), ("abc\ud83d", "unpaired surrogate at offset 3"), ("\udc00", "offset 0")],
)
def test_characters_that_no_text_holds_are_refused_with_their_place(text: str, complaint: str) -> None:
    with pytest.raises(InvalidDocument, match=complaint):
        make_document(text)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("café".encode("latin-1"), r"not UTF-8 text \(byte 3"),
        (codecs.BOM_UTF16_LE + b"a\0b", "not UTF-16 text"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a\x00", "not UTF-16 text"),
        (codecs.BOM_UTF32_LE + "ab".encode("utf-32-le"), "NUL"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not UTF-8 text"),
        (b"", "holds no text"),
    ],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(InvalidDocument, match=complaint):
        decode(data)


@given(raw_texts)
def test_the_hash_is_of_the_canonical_text_in_utf8(raw: str) -> None:
    document = make_document(raw)
    assert document.content_sha256 == hashlib.sha256(document.text.encode("utf-8")).hexdigest()
    assert content_sha256(document.text) == document.content_sha256


def test_a_document_is_the_same_whatever_its_line_ends_were() -> None:
    assert make_document("One.\r\nTwo.\r", source="a.txt") == make_document("\ufeffOne.\nTwo.\n", source="a.txt")


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_ids_are_url_safe_and_follow_the_source_alone(source: str) -> None:
    assert re.fullmatch(r"doc-[a-z2-7]{20}", document_id(source))
    assert document_id(source) == document_id(source)
    assert document_id(source) != document_id(source + "x")


def test_an_id_never_changes_from_one_version_to_the_next() -> None:
    assert document_id("000_1309baff04d3ecd8.txt") == "doc-237qtjiywiknnk2jz6ag"


def test_a_replacement_keeps_the_id() -> None:
    assert make_document("Old.", source="a.txt").id == make_document("New.", source="a.txt", title="T").id


def test_a_missing_source_is_made_of_the_content() -> None:
    document = make_document("Some\r\ntext.")
    assert document.source == f"upload:{hashlib.sha256(b'Some' + bytes([10]) + b'text.').hexdigest()}"


def test_a_given_title_is_kept_and_a_missing_one_is_found() -> None:
    assert make_document("Heading\n\nA sentence of four words.", title="Mine").title == "Mine"
    assert make_document("Heading\n\nA sentence of four words.").title == "Heading"


def test_a_found_title_could_have_been_given() -> None:
    title = make_document("\x1b[31mRed\x07 words\x9b.").title
    assert title == "\ufffd[31mRed\ufffd words\ufffd."
    assert make_document("Other.", title=title).title == title


@given(raw_texts, st.sampled_from(["a.txt", "a.md"]))
def test_every_text_gets_a_title_that_stands_on_one_line(raw: str, source: str) -> None:
    title = make_document(raw, source=source).title
    assert title.strip()
    assert len(title.splitlines()) == 1
    assert make_document("Other.", title=title).title == title


@pytest.mark.parametrize("value", ["", " \t", "a\nb", "a\x00b", "a\x7fb", "a\u2028b", "a\ud800"])
def test_a_source_or_title_that_does_not_fit_on_a_line_is_refused(value: str) -> None:
    with pytest.raises(InvalidDocument, match="source"):
        make_document("Text.", source=value)
    with pytest.raises(InvalidDocument, match="title"):
        make_document("Text.", title=value)


def test_a_source_and_a_title_may_be_as_long_as_the_limit_and_no_longer() -> None:
    document = make_document("Text.", source="s" * MAX_SOURCE_LENGTH, title="t" * MAX_TITLE_LENGTH)
    assert (len(document.source), len(document.title)) == (MAX_SOURCE_LENGTH, MAX_TITLE_LENGTH)
    with pytest.raises(InvalidDocument, match=f"at most {MAX_SOURCE_LENGTH}"):
        make_document("Text.", source="s" * (MAX_SOURCE_LENGTH + 1))
    with pytest.raises(InvalidDocument, match=f"at most {MAX_TITLE_LENGTH}"):
        make_document("Text.", title="t" * (MAX_TITLE_LENGTH + 1))


@pytest.mark.parametrize(
    "metadata", [{"x": float("nan")}, {"x": float("inf")}, {"x": "\ud800"}, {"x": "y" * MAX_METADATA_BYTES}]
)
def test_metadata_that_json_cannot_hold_is_refused(metadata: dict[str, Scalar]) -> None:
    with pytest.raises(InvalidDocument, match="metadata"):
        make_document("Text.", metadata=metadata)


def test_metadata_is_copied() -> None:
    metadata: dict[str, Scalar] = {"year": 2025, "draft": False, "tag": "\U0001f600"}
    document = make_document("Text.", metadata=metadata)
    metadata["year"] = 1
    assert document.metadata == {"year": 2025, "draft": False, "tag": "\U0001f600"}


@pytest.mark.parametrize(
    ("source", "markdown"), [("a.md", True), ("A.MARKDOWN", True), ("a.txt", False), ("a.md.txt", False), ("md", False)]
)
def test_the_name_of_the_source_says_whether_it_is_markdown(source: str, markdown: bool) -> None:
    assert make_document("Text.", source=source).is_markdown is markdown


def test_files_are_found_below_the_folder_by_suffix_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in (
        "b.txt",
        "a.md",
        "sub/c.TEXT",
        ".hidden.txt",
        ".git/d.txt",
        "sub/.e/f.txt",
        "g.pdf",
        "h.exe",
        "noname",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Text.")
    (tmp_path / "folder.txt").mkdir()
    assert find_files(tmp_path) == [
        ("a.md", tmp_path / "a.md"),
        ("b.txt", tmp_path / "b.txt"),
        ("g.pdf", tmp_path / "g.pdf"),
        ("sub/c.TEXT", tmp_path / "sub" / "c.TEXT"),
    ]


def test_a_folder_below_a_hidden_one_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / ".cache" / "texts"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("Text.")
    assert [source for source, _ in find_files(folder)] == ["a.txt"]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument, match="is not a folder"):
        find_files(tmp_path / "missing")


def test_a_file_is_read_and_an_unreadable_one_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_bytes(b"\xef\xbb\xbfOne.\r\nTwo.")
    bad.write_bytes(b"\xff")
    assert read_document(good, source="good.txt").text == "One.\nTwo."
    with pytest.raises(InvalidDocument, match=r"bad\.txt: The file is not UTF-8"):
        read_document(bad, source="bad.txt")
    with pytest.raises(InvalidDocument, match=r"gone\.txt: No such file"):
        read_document(tmp_path / "gone.txt", source="gone.txt")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("000_1309baff04d3ecd8.txt", "France, Mongolia Expand Civil Security and Emergency Response Cooperation"),
        ("001_55dbade4bc57e86b.txt", "During his speech, Ambassador Masaru Igawahara emphasized that there has been…"),
        ("002_406c166ef84e13d9.txt", "The article discusses Mongolia’s Foreign Minister Battsetseg Batmunkh’s visit…"),
        (
            "003_78805ee65075331d.txt",
            "Relations between Japan and Mongolia at the end of the 20th century through the 21st century",
        ),
    ],
)
def test_the_seed_texts_have_the_titles_that_people_would_give_them(name: str, title: str) -> None:
    seeds = Path(__file__).parents[1] / "seeds"
    assert read_document(seeds / name, source=name).title == title


def test_tags_are_sorted_and_each_is_there_once() -> None:
    document = make_document("Text.", tags=["b", "ä b", "a", "b"], date="2024-02-29")
    assert (document.tags, document.date) == (("a", "b", "ä b"), "2024-02-29")


@pytest.mark.parametrize("tag", ["", " ", "a\nb", "a\0", "x" * 101, "\ud800"])
def test_tags_that_cannot_stand_on_a_line_are_refused(tag: str) -> None:
    with pytest.raises(InvalidDocument, match="tag"):
        make_document("Text.", tags=[tag])


def test_a_document_has_so_many_tags_at_most() -> None:
    tags = [f"tag {number}" for number in range(MAX_TAGS + 1)]
    assert len(make_document("Text.", tags=tags[1:]).tags) == MAX_TAGS
    with pytest.raises(InvalidDocument, match="51 tags; at most 50"):
        make_document("Text.", tags=tags)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "2024",
        "2023-02-29",
        "2024-2-29",
        "20240229",
        "2024-02-29T10:00:00",
        "2024-W09-4",
        "２０２４-02-29",
        "x" * 99,
    ],
)
def test_dates_that_are_no_days_are_refused(date: str) -> None:
    with pytest.raises(InvalidDocument, match="write it as YYYY-MM-DD"):
        make_document("Text.", date=date)
