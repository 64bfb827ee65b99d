"""Furniture: lines of pages are told from what pages say, come by themselves, and stand in the text as before."""

import json

import pytest
from conftest import SEEDS
from hypothesis import given
from hypothesis import strategies as st
from texts import raw_texts
from word_embedder import WordEmbedder

from eval.cases import SEEDS_SET
from index.documents import canonical_text, find_files, read_document
from index.labels import Likeness, likeness_of
from index.passages import Passage, PassageSettings, split_passages

STORY = (
    "Rye mill reopens after forty years\n\n"
    "The rye mill at Aaby reopened on 4 May 2024, forty years after its last miller retired.\n\n"
    "Its new owner, Karen Holm, paid 310,000 kroner for the repair of the wheel.\n"
)
LINES = (
    "#mills #Aaby #rye",
    "Share on Facebook",
    "Share this story via e-mail",
    "Facebook",
    "Twitter",
    "Copy link",
    "3 comments",
    "No comments yet",
    "Be the first to comment!",
    "Related articles",
    "You may also like",
    "Read more: The last miller of Aaby",
    "Advertisement",
    "Subscribe to our weekly newsletter",
    "We use cookies to make this site better.",
    "By continuing to browse you accept our terms.",
    "Follow @aabynews on Twitter",
    "Back to top",
    "4 min read",
    "© 2024 Aaby News. All rights reserved.",
    "[Share on X](https://x.example/share)",
)


def cut(text: str, *, markdown: bool = False) -> list[Passage]:
    return split_passages(text, markdown=markdown, count_tokens=WordEmbedder().count_tokens, settings=PassageSettings())


def furniture(text: str, *, markdown: bool = False) -> str:
    return "\n".join(each.text for each in cut(text, markdown=markdown) if each.is_furniture)


def content(text: str, *, markdown: bool = False) -> str:
    return "\n".join(each.text for each in cut(text, markdown=markdown) if not each.is_furniture)


@pytest.mark.parametrize("markdown", [False, True])
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_lines_around_a_story_are_marked_and_the_story_is_not(gap: str, markdown: bool) -> None:
    first, last = LINES[:9], LINES[9:]
    text = f"{gap.join(first)}\n\n{STORY}\n{gap.join(last)}\n"
    assert all(line in furniture(text, markdown=markdown) for line in LINES)
    assert all(line not in content(text, markdown=markdown) for line in LINES)
    for sentence in STORY.split("\n\n"):
        assert sentence.strip() in content(text, markdown=markdown)


@pytest.mark.parametrize("line", [line for line in LINES if likeness_of(line) is Likeness.CERTAIN])
def test_one_line_at_the_end_is_enough(line: str) -> None:
    assert furniture(f"{STORY}\n{line}") == line
    (section,) = {each.section for each in cut(f"{STORY}\n{line}")}
    assert section == "Rye mill reopens after forty years"


@pytest.mark.parametrize(
    "line",
    [
        "Email",
        "Facebook",
        "Contact us",
        "a day ago",
        "Privacy policy",
        "Photos",
        "Terms of use",
        "By Karen Holm",
        "Resolution No. 78 of the Government",
        "Original source: aabynews.example",
        "Sign up to the fire brigade at the town hall.",
        "Copyright law changed in 1976.",
        "Share of women among the millers: 12 %",
        "Comments of the ministry",
        "Like most mills, it stands by a stream.",
        "#1 The mill",
    ],
)
def test_what_may_be_a_word_of_the_text_is_left_alone_without_company(line: str) -> None:
    assert furniture(f"{STORY}\n{line}") == ""
    assert furniture(f"{line}\n\n{STORY}") == ""


def test_words_that_are_labels_only_in_company_are_each_others_company() -> None:
    bar = "Facebook\nTwitter\nEmail\nPrint"
    assert furniture(f"{STORY}\n{bar}") == bar
    assert furniture(f"{STORY}\nEmail\nPrint") == ""


def test_unknown_short_lines_between_labels_belong_to_them() -> None:
    bar = "Share on Facebook\nAaby News for phones\nNo comments yet"
    assert furniture(f"{STORY}\n{bar}") == bar
    # Not where they are more than the labels, nor in front of them or behind.
    many = "Share on Facebook\nOats\nRye\nBarley\nWheat\nNo comments yet"
    assert "Barley" not in furniture(f"{STORY}\n{many}")
    assert "Oats" not in furniture(f"{STORY}\nOats\nShare on Facebook\nNo comments yet\nRye")


def test_a_line_amid_a_text_does_not_cut_it_in_two() -> None:
    first, second = (f"{number} barrels of rye came down the stream that year, they said." for number in ("Ten", "Six"))
    (whole,) = cut(f"{first}\n\nAdvertisement\n\n{second}")
    assert (whole.text, whole.is_furniture) == (f"{first}\n\nAdvertisement\n\n{second}", False)


def test_labels_head_no_section() -> None:
    text = f"{STORY}\n\nRelated articles\n\nThe miller of Aaby, who had ground rye for all of his life, died in March."
    assert {each.section for each in cut(text)} == {"Rye mill reopens after forty years"}


def test_articles_in_one_file_have_sections_of_their_own() -> None:
    other = "Bridge at Aaby closed until autumn"
    body = f"The bridge is closed until {'the water falls and ' * 6}the autumn of 2024, said the mayor."
    above = "Aaby News\n2 days ago\n- Aaby News"
    text = f"{STORY}\n3 comments\nRelated articles\n\n\n{above}\n{other}\n{body}\n\nShare this\n"
    sections = {each.section for each in cut(text) if "closed until" in each.text and not each.is_furniture}
    assert sections == {other}
    assert all(each.section != other for each in cut(text) if "Karen Holm" in each.text)


def test_no_answer_about_the_seeds_stands_in_furniture() -> None:
    marked = {source: cut(read_document(path, source=source).text) for source, path in find_files(SEEDS)}
    cases = [json.loads(line) for line in SEEDS_SET.read_text(encoding="utf-8").splitlines()]
    spans = [span for case in cases for span in case["spans"]]
    assert len(spans) > 200
    for span in spans:
        over = [
            each
            for each in marked[span["document"]]
            if each.is_furniture and each.start < span["end"] and span["start"] < each.end
        ]
        assert not over, span
    assert sum(each.is_furniture for passages in marked.values() for each in passages) == 2


@given(raw_texts, st.lists(st.sampled_from(LINES), max_size=6), st.booleans())
def test_marking_changes_no_text_and_loses_none(raw: str, lines: list[str], markdown: bool) -> None:
    text = canonical_text("\n".join([raw, *lines]))
    passages = cut(text, markdown=markdown)
    covered: set[int] = set()
    for each in passages:
        assert text[each.start : each.end] == each.text
        covered.update(range(each.start, each.end))
    assert not "".join(character for place, character in enumerate(text) if place not in covered).strip()


@given(raw_texts)
def test_a_line_is_as_much_a_label_with_white_space_around_it(raw: str) -> None:
    for line in raw.splitlines():
        assert likeness_of(f"  {line}\t") is likeness_of(line)
