"""Passages: exact offsets, nothing lost, never too large, never across a heading."""

from collections.abc import Sequence
from itertools import accumulate, combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import raw_texts
from word_embedder import WordEmbedder

from index.documents import canonical_text, decode
from index.passages import Passage, PassageSettings, split_passages

SEEDS = Path(__file__).parents[1] / "seeds"
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
SENTENCE = "One two three four five six seven eight nine. "  # ten tokens

count_tokens = WordEmbedder().count_tokens


def split(
    text: str, *, markdown: bool = False, max_tokens: int = 200, overlap_tokens: int = 0, ideal_tokens: int = 200
) -> list[Passage]:
    """Split a text and check what holds for all passages of all texts."""
    wanted = PassageSettings(max_tokens, overlap_tokens, ideal_tokens)
    passages = split_passages(text, markdown=markdown, count_tokens=count_tokens, settings=wanted)
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    assert all(before.start < after.start and before.end <= after.end for before, after in pairwise(passages))
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text == passage.text.strip()
        sentences = passage.sentences
        assert (sentences[0].start, sentences[-1].end) == (passage.start, passage.end)
        assert all(before.end <= after.start for before, after in pairwise(sentences))
        for sentence in sentences:
            words = text[sentence.start : sentence.end]
            assert words
            assert words == words.strip()
        between = [text[before.end : after.start] for before, after in pairwise(sentences)]
        assert not "".join(between).strip()
        assert count_tokens([passage.text])[0] <= max_tokens or len(passage.text) == 1
    _assert_all_is_held(text, passages)
    if not overlap_tokens:
        assert all(before.end <= after.start for before, after in pairwise(passages))
    return passages


def _assert_all_is_held(text: str, passages: list[Passage]) -> None:
    reached = 0
    for passage in passages:
        assert not text[reached : passage.start].strip()
        reached = max(reached, passage.end)
    assert not text[reached:].strip()


@settings(max_examples=300)
@given(raw_texts, st.booleans(), st.integers(1, 40), st.data())
def test_passages_keep_their_promises_for_every_text(raw: str, markdown: bool, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    assert split(canonical_text(raw), markdown=markdown, max_tokens=size, overlap_tokens=overlap)


@given(raw_texts, st.booleans(), st.integers(1, 40))
def test_without_overlap_no_character_stands_in_two_passages(raw: str, markdown: bool, size: int) -> None:
    text = canonical_text(raw)
    passages = split(text, markdown=markdown, max_tokens=size)
    assert "".join("".join(each.text.split()) for each in passages) == "".join(text.split())


@given(st.lists(st.sampled_from([SENTENCE, SENTENCE * 9, "Then it rained again. ", "\n\n"]), min_size=1, max_size=20))
def test_repeated_sentences_and_paragraphs_each_keep_their_own_place(pieces: list[str]) -> None:
    text = "".join(pieces) + "That is the end."
    passages = split(text, max_tokens=20)
    starts = [sentence.start for passage in passages for sentence in passage.sentences]
    assert len(set(starts)) == len(starts) == text.count(".")


@pytest.mark.parametrize("markdown", [False, True])
def test_a_megabyte_of_everything_is_split_like_any_text(markdown: bool) -> None:
    paragraph = SENTENCE * 30 + "\n\n"
    parts = [
        paragraph * 400,
        "x, " * 40_000,
        "語" * 100_000,
        f"{FAMILY} " * 20_000,
        "e\u0301" * 20_000,
        paragraph * 50,
    ]
    text = canonical_text("\r\n".join(parts))
    assert len(text) > 900_000
    assert len(split(text, markdown=markdown)) > 1000


def test_a_text_shorter_than_a_passage_is_one_passage() -> None:
    (passage,) = split(" One sentence here.\nAnother of them. \n")
    assert passage.text == "One sentence here.\nAnother of them."
    assert len(passage.sentences) == 2


def test_passages_are_of_even_sizes() -> None:
    passages = split(SENTENCE * 9, max_tokens=40)
    assert [len(passage.sentences) for passage in passages] == [3, 3, 3]


def test_passages_end_where_paragraphs_end() -> None:
    assert _sentences_of([2, 4, 3], max_tokens=50) == [2, 4, 3]


def test_paragraphs_that_fit_stay_whole_though_they_are_larger_than_is_ideal() -> None:
    assert _sentences_of([4, 4, 2, 2], max_tokens=40, ideal_tokens=20) == [4, 4, 2, 2]


def test_short_paragraphs_are_put_together() -> None:
    assert _sentences_of([1] * 6, max_tokens=40, ideal_tokens=20) == [2, 2, 2]


def test_a_paragraph_that_is_too_long_is_cut_and_its_rest_goes_with_the_next() -> None:
    assert _sentences_of([5, 1], max_tokens=40) == [3, 3]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 6), st.integers(1, 6))
def test_no_other_way_to_cut_costs_less(paragraphs: list[int], room: int, wished: int) -> None:
    ideal = min(wished, room)

    def cost(lengths: Sequence[int]) -> float:
        begins = set(accumulate(lengths)) - {sum(lengths)}
        inside = begins - set(accumulate(paragraphs))
        return 2 * len(inside) + sum((length / ideal - 1) ** 2 for length in lengths)

    count = sum(paragraphs)
    ways = (
        [end - begin for begin, end in pairwise([0, *cuts, count])]
        for number in range(count)
        for cuts in combinations(range(1, count), number)
    )
    fitting = [way for way in ways if max(way) <= room]
    made = _sentences_of(paragraphs, max_tokens=10 * room, ideal_tokens=10 * wished)
    assert cost(made) == pytest.approx(min(map(cost, fitting)))


def _sentences_of(paragraphs: Sequence[int], *, max_tokens: int, ideal_tokens: int = 200) -> list[int]:
    """Return of how many sentences the passages are, of paragraphs with so many sentences of ten tokens each."""
    text = "\n\n".join((SENTENCE * number).strip() for number in paragraphs)
    return [len(passage.sentences) for passage in split(text, max_tokens=max_tokens, ideal_tokens=ideal_tokens)]


def test_passages_end_between_sentences() -> None:
    passages = split(SENTENCE * 50, max_tokens=35)
    assert all(passage.text.endswith("nine.") and passage.text.startswith("One") for passage in passages)


def test_an_overlap_repeats_whole_sentences_of_the_passage_before() -> None:
    passages = split(SENTENCE * 12, max_tokens=40, overlap_tokens=15)
    assert len(passages) > 3
    for before, after in pairwise(passages):
        assert before.sentences[-1] == after.sentences[0]
        assert before.sentences[-2] not in after.sentences


def test_an_overlap_leaves_room_for_a_long_sentence_behind_it() -> None:
    long = "one two three four five six seven eight nine ten eleven twelve thirteen."
    passages = split(f"Aa bb. Cc dd. {long}", max_tokens=16, overlap_tokens=8)
    assert len(passages) > 1
    assert passages[1].text.startswith("Cc dd.")


@pytest.mark.parametrize(("size", "overlap", "ideal"), [(0, 0, 1), (-1, 0, 1), (10, 10, 1), (10, -1, 1), (10, 0, 0)])
def test_sizes_that_leave_no_room_are_refused(size: int, overlap: int, ideal: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        PassageSettings(size, overlap, ideal)


def test_a_long_sentence_is_cut_behind_punctuation_where_there_is_some() -> None:
    text = "one two three four five, six seven eight nine ten"
    assert [passage.text for passage in split(text, max_tokens=6)] == [
        "one two three four five,",
        "six seven eight nine ten",
    ]


def test_a_long_sentence_without_punctuation_is_cut_between_words() -> None:
    words = [word for passage in split("word " * 999, max_tokens=7) for word in passage.text.split()]
    assert words == ["word"] * 999


@pytest.mark.parametrize("cluster", [FAMILY, "e\u0301", "e\u0301\u0323", "\u2708\ufe0f"])
def test_a_cut_never_separates_what_is_read_as_one_character(cluster: str) -> None:
    text = cluster * 300
    passages = split(text, max_tokens=12)
    assert len(passages) > 20
    assert all(passage.start % len(cluster) == 0 for passage in passages)


def test_what_cannot_be_cut_is_a_passage_of_one_character() -> None:
    passages = split_passages(
        "ab",
        markdown=False,
        count_tokens=lambda texts: [9 * len(each) for each in texts],
        settings=PassageSettings(max_tokens=5),
    )
    assert [passage.text for passage in passages] == ["a", "b"]


def test_a_heading_opens_a_passage_and_names_its_section() -> None:
    text = f"{SENTENCE}\n\nThe Second Part\n\n{SENTENCE}"
    assert [(passage.section, passage.text[:8]) for passage in split(text)] == [
        (None, "One two "),
        ("The Second Part", "The Seco"),
    ]


def test_the_nearest_of_several_headings_names_the_section() -> None:
    text = f"# Report\n\n## Aid & *more* ##\n\n{SENTENCE}\n\nLast\npart\n----\n\n{SENTENCE}"
    passages = split(text, markdown=True)
    assert [passage.section for passage in passages] == ["Aid & *more*", "Last part"]
    assert passages[0].text.startswith("# Report\n\n## Aid")


def test_a_number_sign_in_plain_text_is_part_of_the_section() -> None:
    (passage,) = split(f"Choice 1 #\n\n{SENTENCE}")
    assert passage.section == "Choice 1 #"


def seed(name: str) -> tuple[str, list[Passage]]:
    (path,) = SEEDS.glob(f"{name}_*.txt")
    text = decode(path.read_bytes())
    return text, split(text)


@pytest.mark.parametrize("name", ["000", "001", "002", "003"])
def test_the_seed_texts_are_cut_into_passages_of_a_useful_size(name: str) -> None:
    _, passages = seed(name)
    assert all(passage.sentences for passage in passages)
    assert sum(count_tokens([passage.text])[0] >= 50 for passage in passages) >= 0.9 * len(passages)


def test_no_passage_crosses_the_articles_of_a_scraped_page() -> None:
    text, passages = seed("000")
    article_starts = [
        text.index(f"\n\n\n{paper}") + 3 for paper in ("Japan Today\n19 m", "Yomiuri", "Japan Today\n2 d")
    ]
    for start in article_starts:
        assert not any(passage.start < start < passage.end for passage in passages)
        assert any(passage.start == start for passage in passages)
    titles = list(dict.fromkeys(passage.section for passage in passages))
    assert titles == [
        "France, Mongolia Expand Civil Security and Emergency Response Cooperation",
        "Tariffs and conflicts loom large over Merz and Macron's working dinner",
        "Russia Launches a Major Aerial Attack on Kyiv Hours before High-Level Talks on Support for Ukraine",
        "Russia launches major aerial attack on Kyiv hours before high-level talks on support for Ukraine",
    ]
    bounds = [0, *article_starts, len(text)]
    for title, (start, end) in zip(titles, pairwise(bounds), strict=True):
        assert {each.section for each in passages if start <= each.start < end} == {title}


def test_page_furniture_has_a_passage_of_its_own() -> None:
    _, passages = seed("000")
    (furniture,) = (passage for passage in passages if "Related Articles" in passage.text)
    assert furniture.text.startswith("Hashtags")
    assert not any(mark in furniture.text for mark in ("cooperation", "Japan Today", "Ukraine"))


def test_the_seed_texts_have_the_sections_that_people_see() -> None:
    _, passages = seed("003")
    assert list(dict.fromkeys(passage.section for passage in passages)) == [
        "Disaster Support from Mongolia",
        "Rescue Team from Mongolia",
        "Receiving overseas supports in Japan",
        "Condolences from Mongolia",
        "Establishment of a Consulate General of Mongolia",
        "Economic Partnership Agreement",
        "Signing of the memorandum on the non-project grant",
        "Press conference of Prime Minister ABE Shinzo and President Ts. Elbegdorj",
        "Strategic Partnership new Mid-term Action Plan between Mongolia and Japan",
    ]
    assert {passage.section for name in ("001", "002") for passage in seed(name)[1]} == {None}
