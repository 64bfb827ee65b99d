"""Keepers: the data directory and a running service do the same for a command, and sync makes either match a folder."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from applications import application
from click.testing import CliRunner, Result
from listening import SECRET, listening
from make_formats import DATA
from word_embedder import WordEmbedder

from index.documents import find_files, make_document, read_document
from index.errors import CitespanError, InvalidDocument, ServiceRefused
from index.filters import Days, Filters
from index.library import Library
from service.cli import main
from service.http_keeper import HttpKeeper
from service.keeper import Keeper, LocalKeeper
from service.sync import Selection, carry_out, plan

EVERYTHING = Selection()


@contextmanager
def _local(data_dir: Path) -> Iterator[Keeper]:
    with Library(data_dir, WordEmbedder()) as library:
        library.create("default")
        yield LocalKeeper(library)


@contextmanager
def _over_http(data_dir: Path) -> Iterator[Keeper]:
    with application(data_dir, max_body_bytes=200_000) as client:
        yield HttpKeeper("http://127.0.0.1:8000", client=client)


@pytest.fixture(params=[_local, _over_http], ids=["here", "over HTTP"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keeper]:
    with request.param(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("The ferry leaves at noon.")
    (folder / "b.txt").write_text("\ufeffThe captain\r\nsleeps.")
    (folder / "deep" / "c.md").write_text("# Fares\n\nA ticket costs 12 euros.\n")
    (folder / ".hidden.txt").write_text("Not this.")
    return folder


def held(keeper: Keeper, collection: str = "default") -> dict[str, str]:
    return {each.source: each.content_sha256 for each in keeper.documents(collection)}


def sync(keeper: Keeper, folder: Path, selection: Selection = EVERYTHING, collection: str = "default") -> list[int]:
    """Sync and return how many were added, replaced, removed, unchanged and failed."""
    made = plan(folder, keeper.documents(collection), selection)
    outcome = carry_out(keeper, collection, made)
    return [
        outcome.added,
        outcome.replaced,
        len(made.remove),
        made.unchanged + outcome.unchanged,
        len(made.failed) + len(outcome.failures),
    ]


def assert_matches(keeper: Keeper, folder: Path, collection: str = "default") -> None:
    expected = {source: read_document(path, source=source).content_sha256 for source, path in find_files(folder)}
    assert held(keeper, collection) == expected


def test_life_of_documents_and_collections(keeper: Keeper) -> None:
    first = make_document("One.", source="a", tags=["x"], date="2024-01-31", metadata={"n": 1})
    outcome = keeper.put("default", [first, make_document("Two.", source="b")])
    assert (outcome.added, outcome.replaced, outcome.unchanged, outcome.failures) == (2, 0, 0, [])
    outcome = keeper.put("default", [first, make_document("Two, again.", source="b")])
    assert (outcome.added, outcome.replaced, outcome.unchanged) == (0, 1, 1)
    (shown,) = keeper.documents("default", Filters(tags=("x",), date=Days("2024-01-01", "2024-12-31")))
    assert (shown.source, shown.tags, shown.date, shown.metadata) == ("a", ["x"], "2024-01-31", {"n": 1})
    assert [each.source for each in keeper.documents("default", Filters(source=("b", "c")))] == ["b"]
    keeper.delete("default", shown.id)
    assert list(held(keeper)) == ["b"]
    with pytest.raises(CitespanError, match=shown.id):
        keeper.delete("default", shown.id)
    assert (keeper.create("notes"), keeper.create("notes")) == (True, False)
    assert [(each.name, each.documents) for each in keeper.collections()] == [("default", 1), ("notes", 0)]
    keeper.delete_collection("notes")
    with pytest.raises(CitespanError, match="'notes'"):
        keeper.delete_collection("notes")
    with pytest.raises(CitespanError, match="'notes'"):
        list(keeper.documents("notes"))
    keeper.reindex("default", lambda *_: None)


def test_more_documents_than_a_page_and_than_one_step_takes(keeper: Keeper) -> None:
    for start in range(0, 450, 150):
        keeper.put("default", [make_document(f"Text {n}.", source=f"{n:03}") for n in range(start, start + 150)])
    assert list(held(keeper)) == [f"{number:03}" for number in range(450)]


def test_sync_makes_a_collection_match_a_folder_and_then_does_nothing(keeper: Keeper, folder: Path) -> None:
    assert sync(keeper, folder) == [3, 0, 0, 0, 0]
    assert_matches(keeper, folder)
    assert sync(keeper, folder) == [0, 0, 0, 3, 0]
    (folder / "a.txt").write_text("The ferry leaves at one.")
    (folder / "b.txt").unlink()
    (folder / "new.md").write_text("News.")
    assert sync(keeper, folder) == [1, 1, 1, 1, 0]
    assert_matches(keeper, folder)
    assert sync(keeper, folder) == [0, 0, 0, 3, 0]


def test_sync_of_many_files_goes_in_steps_and_tells_how_far_it_is(keeper: Keeper, folder: Path) -> None:
    for number in range(150):
        (folder / f"{number}.txt").write_text(f"Text number {number}.")
    told: list[tuple[int, int]] = []
    made = plan(folder, keeper.documents("default"), Selection())
    outcome = carry_out(keeper, "default", made, progress=lambda *each: told.append(each))
    assert outcome.added == 153
    assert told == [(64, 153), (128, 153), (153, 153)]
    assert_matches(keeper, folder)


def test_a_selection_leaves_everything_else_alone(keeper: Keeper, folder: Path) -> None:
    keeper.put("default", [make_document("Not of the folder.", source="upload.pdf.txt")])
    keeper.put("default", [make_document("Old.", source="deep/old.md")])
    assert sync(keeper, folder, Selection(include=("*.md",))) == [1, 0, 1, 0, 0]
    assert set(held(keeper)) == {"upload.pdf.txt", "deep/c.md"}
    assert sync(keeper, folder, Selection(exclude=("deep/*", "upload*"))) == [2, 0, 0, 0, 0]
    assert set(held(keeper)) == {"upload.pdf.txt", "deep/c.md", "a.txt", "b.txt"}


def test_folders_with_prefixes_share_a_collection(keeper: Keeper, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("Another a.")
    assert sync(keeper, folder, Selection(prefix="one/")) == [3, 0, 0, 0, 0]
    assert sync(keeper, other, Selection(prefix="two/")) == [1, 0, 0, 0, 0]
    assert set(held(keeper)) == {"one/a.txt", "one/b.txt", "one/deep/c.md", "two/a.txt"}
    (folder / "a.txt").unlink()
    assert sync(keeper, folder, Selection(prefix="one/")) == [0, 0, 1, 2, 0]
    assert set(held(keeper)) == {"one/b.txt", "one/deep/c.md", "two/a.txt"}


def test_a_folder_without_files_removes_nothing(keeper: Keeper, tmp_path: Path, folder: Path) -> None:
    sync(keeper, folder)
    (tmp_path / "empty").mkdir()
    for path, selection in ((tmp_path / "empty", Selection()), (folder, Selection(include=("*.rst",)))):
        with pytest.raises(InvalidDocument, match="nothing is changed"):
            sync(keeper, path, selection)
    assert_matches(keeper, folder)


def test_files_that_cannot_be_read_are_named_and_their_documents_stay(keeper: Keeper, folder: Path) -> None:
    sync(keeper, folder)
    before = held(keeper)
    (folder / "a.txt").write_bytes(b"\xff\xfe\xff")
    (folder / "empty.txt").write_text(" ")
    assert sync(keeper, folder) == [0, 0, 0, 2, 2]
    assert held(keeper) == before


def test_what_no_file_says_stays_when_a_file_changes(keeper: Keeper, folder: Path) -> None:
    keeper.put(
        "default", [make_document("Old.", source="a.txt", tags=["x"], date="2024-01-31", metadata={"team": "ferries"})]
    )
    sync(keeper, folder)
    (shown,) = keeper.documents("default", Filters(source=("a.txt",)))
    assert (shown.tags, shown.date, shown.metadata) == (["x"], "2024-01-31", {"team": "ferries"})
    assert_matches(keeper, folder)


def test_a_document_that_the_service_does_not_take_is_named(tmp_path: Path) -> None:
    with _over_http(tmp_path) as keeper:
        outcome = keeper.put(
            "default", [make_document("Short.", source="short"), make_document("x" * 200_001, source="long")]
        )
        assert outcome.added == 1
        assert outcome.failures == [("long", "The line has more than 200000 bytes.")]


def test_a_batch_that_becomes_a_job_is_followed_to_its_end(tmp_path: Path) -> None:
    documents = [make_document("word " * 3000 + str(number), source=f"{number}") for number in range(80)]
    with _over_http(tmp_path) as keeper:
        assert keeper.put("default", documents).added == 80
        assert keeper.put("default", documents).unchanged == 80


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x", "http://"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ServiceRefused, match="no address of a service"):
        HttpKeeper(url)


def test_a_service_that_is_not_there_is_told() -> None:
    keeper = HttpKeeper("http://127.0.0.1:9")
    with pytest.raises(ServiceRefused, match="does not answer"):
        keeper.collections()
    keeper.close()


def invoke(*arguments: str, text: str | None = None, **variables: str) -> Result:
    return CliRunner().invoke(main, arguments, input=text, env=variables)


def test_commands_work_on_a_running_service(tmp_path: Path, folder: Path) -> None:
    with listening(tmp_path / "data", {}) as url:

        def run(*arguments: str, text: str | None = None) -> Result:
            return invoke(*arguments, "--url", url, text=text, CITESPAN_API_KEY=SECRET)

        assert "answers 401" in invoke("list", "--url", url).output
        dry = run("sync", str(folder), "--collection", "notes", "--dry-run")
        assert dry.exit_code == 0, dry.output
        assert "would add deep/c.md" in dry.output
        assert "notes" not in run("collections", "list").output
        synced = run("sync", str(folder), "--collection", "notes")
        assert synced.exit_code == 0, synced.output
        assert _row(synced, "added") == "3"
        (folder / "b.txt").unlink()
        assert "would remove b.txt" in run("sync", str(folder), "--collection", "notes", "--dry-run").output
        assert _row(run("sync", str(folder), "--collection", "notes"), "removed") == "1"
        added = run("add", str(folder / "a.txt"), "--source", "x.txt", "--tag", "red", "--date", "2024-01-31")
        assert "1 added, 0 replaced, 0 unchanged" in added.output
        assert "x.txt" in run("list", "--tag", "red", "--date-from", "2024-01-01").output
        assert "x.txt" not in run("list", "--tag", "blue").output
        assert "notes: 2 documents" in run("collections", "list").output
        assert run("collections", "delete", "notes", text="n\n").exit_code != 0
        assert "notes: 2 documents" in run("collections", "list").output
        assert run("collections", "delete", "notes", text="y\n").exit_code == 0
        assert "notes" not in run("collections", "list").output
        assert "created 'more'" in run("collections", "create", "more").output
        assert "deleted 'more'" in run("collections", "delete", "more", "--yes").output
        assert run("delete", "--source", "x.txt").exit_code == 0
        assert run("list").output == ""
        gone = run("delete", "--source", "x.txt")
        assert (gone.exit_code, "answers 404" in gone.output) == (2, True)
        assert "every index is current" in run("reindex").output
        refused = invoke("collections", "list", CITESPAN_DATA_DIR=str(tmp_path / "data"), CITESPAN_API_KEYS="bad")
        assert refused.exit_code == 2


def _row(result: Result, word: str) -> str:
    (row,) = [line for line in result.output.splitlines() if word in line]
    return row.replace("│", " ").split()[1]


def test_sync_keeps_files_of_other_formats_and_rows_in_step(keeper: Keeper, folder: Path) -> None:
    shutil.copy(DATA / "water-1.pdf", folder / "report.pdf")
    (folder / "rows.csv").write_text("title,text\nMill,Built in 1742.\nBoat,Blue.\nFerry,Late.\n")
    assert sync(keeper, folder) == [7, 0, 0, 0, 0]
    assert sync(keeper, folder) == [0, 0, 0, 7, 0]
    report = next(each for each in keeper.documents("default") if each.source == "report.pdf")
    assert report.pages == 3
    (folder / "rows.csv").write_text("title,text\nMill,Built in 1743.\nBoat,Blue.\n")
    assert sync(keeper, folder) == [0, 1, 1, 5, 0]
    (folder / "rows.csv").write_text("title,text\nWindmill,Built in 1743.\nBoat,\n")
    assert sync(keeper, folder) == [0, 1, 0, 4, 1]  # the row without a text is told of, and its document stays
    (folder / "rows.csv").write_text("title,title\n")
    (folder / "report.pdf").write_bytes(b"%PDF- broken")
    assert sync(keeper, folder) == [0, 0, 0, 3, 2]  # nor is anything removed that cannot be read
    assert {"report.pdf", "rows.csv#1", "rows.csv#2"} < set(held(keeper))
    (folder / "rows.csv").unlink()
    (folder / "report.pdf").unlink()
    assert sync(keeper, folder) == [0, 0, 3, 3, 0]


def test_rows_of_a_selection_go_with_their_file(keeper: Keeper, folder: Path) -> None:
    (folder / "rows.jsonl").write_text('{"text": "One."}\n{"text": "Two.", "source": "elsewhere"}\n')
    only = Selection(include=("*.jsonl",), prefix="p/")
    assert sync(keeper, folder, only) == [1, 0, 0, 0, 1]  # a row must not reach for what is not the folder's
    assert set(held(keeper)) == {"p/rows.jsonl#1"}
    (folder / "rows.jsonl").write_text("\n" + '{"text": "One."}\n')
    assert sync(keeper, folder, only) == [1, 0, 1, 0, 0]
    assert set(held(keeper)) == {"p/rows.jsonl#2"}
