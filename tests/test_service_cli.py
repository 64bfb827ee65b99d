"""The command line, in this process."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import MODEL_CACHE, SEEDS

from index.embedder import Embedder
from index.library import write_lock
from service.cli import main


@pytest.fixture
def data(tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data directory that the settings name; the model is exported already."""
    monkeypatch.setenv("CITESPAN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CITESPAN_MODEL_CACHE", str(MODEL_CACHE))
    return tmp_path / "data"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("The ferry leaves at noon.")
    (folder / "deep" / "b.md").write_text("# Fares\n\nA ticket costs 12 euros.\n")
    (folder / ".hidden.txt").write_text("Not this.")
    (folder / "image.png").write_bytes(b"\x89PNG")
    return folder


def test_build_adds_replaces_and_leaves_alone(data: Path, folder: Path) -> None:
    assert "2 added, 0 replaced, 0 unchanged" in invoke("build", str(folder)).output
    assert "0 added, 0 replaced, 2 unchanged" in invoke("build", str(folder)).output
    (folder / "a.txt").write_text("The ferry leaves at one.")
    assert "0 added, 1 replaced, 1 unchanged" in invoke("build", str(folder)).output
    assert "leaves at one" in invoke("ask", "When does the ferry leave?").output


def test_build_indexes_what_it_can_and_names_the_rest(data: Path, folder: Path) -> None:
    (folder / "broken.txt").write_bytes(b"\xff\xfe\xff")
    (folder / "empty.txt").write_text("\n")
    result = invoke("build", str(folder))
    assert result.exit_code == 1
    assert "2 added" in result.output
    assert "broken.txt" in result.output
    assert "empty.txt: The document holds no text" in result.output


def test_build_refuses_folders_without_texts_and_with_clashing_ones(data: Path, folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "nothing"
    empty.mkdir()
    assert "There is no file that can be read" in invoke("build", str(empty)).output
    (empty / "a.txt").write_text("Another a.")
    clash = invoke("build", str(folder), str(empty))
    assert clash.exit_code == 2
    assert "a.txt" in clash.output


def test_ask_shows_the_sentence_and_its_place(data: Path, folder: Path) -> None:
    invoke("build", str(folder))
    result = invoke("ask", "How much does a ticket cost?")
    assert result.exit_code == 0
    assert "A ticket costs 12 euros." in result.output
    assert "deep/b.md [24:32]" in result.output
    assert "Fares" in result.output


def test_ask_says_when_the_documents_do_not_say(data: Path, folder: Path) -> None:
    invoke("build", str(folder))
    assert "The documents do not say." in invoke("ask", "Which planet has the most moons?").output


def test_ask_as_json_is_what_the_api_sends(data: Path, folder: Path) -> None:
    invoke("build", str(folder))
    content = json.loads(invoke("ask", "How much does a ticket cost?", "--json").stdout)
    assert content["answer"]["citations"][0]["source"] == "deep/b.md"


def test_ask_without_a_collection_says_how_to_make_one(data: Path) -> None:
    result = invoke("ask", "Anything?")
    assert result.exit_code == 2
    assert "citespan build" in result.output


def test_collections_are_apart(data: Path, folder: Path) -> None:
    invoke("build", str(folder), "--collection", "ferries")
    assert "12 euros" in invoke("ask", "How much does a ticket cost?", "--collection", "ferries").output
    assert "The documents do not say." in invoke("ask", "How much does a ticket cost?").output
    assert "cannot name a collection" in invoke("build", str(folder), "--collection", "No Good").output


def test_doctor_finds_a_healthy_installation_and_a_damaged_store(data: Path, folder: Path) -> None:
    assert invoke("doctor").exit_code == 0
    invoke("build", str(folder))
    healthy = invoke("doctor")
    assert healthy.exit_code == 0
    assert "2 documents" in healthy.output
    store = data / "default" / "store.sqlite"
    store.write_bytes(b"x" * store.stat().st_size)
    damaged = invoke("doctor")
    assert damaged.exit_code == 1
    assert "StoreDamaged" in damaged.output


def test_unknown_setting_is_told_without_a_traceback(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITESPAN_DATADIR", "x")
    result = invoke("build", str(SEEDS))
    assert result.exit_code == 2
    assert "CITESPAN_DATADIR is no setting; did you mean CITESPAN_DATA_DIR?" in result.output


def test_help_names_every_command() -> None:
    output = invoke("--help").output
    assert all(command in output for command in ("build", "serve", "ask", "doctor"))


@pytest.mark.parametrize(
    ("question", "complaint"),
    [(" \n", "is blank"), ("x" * 1001, "has 1001 characters"), ("caf\udce9?", "could not be decoded")],
)
def test_question_that_cannot_be_asked_is_told_without_a_traceback(data: Path, question: str, complaint: str) -> None:
    result = invoke("ask", question)
    assert result.exit_code == 2
    assert complaint in result.output
    assert "Traceback" not in result.output


def test_backup_and_restore_bring_the_same_answers_back(
    data: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("build", str(folder))
    question = ("ask", "--json", "When does the ferry leave?")
    before = json.loads(invoke(*question).output)
    file = str(tmp_path / "backup")
    with write_lock(data):  # as a running service holds it
        made = invoke("backup", file)
    assert (made.exit_code, made.output) == (0, "Backed up: the collection 'default', 2 documents in 2 passages.\n")
    assert "is there already" in invoke("backup", file).output
    assert "is not overwritten" in invoke("restore", file).output
    monkeypatch.setenv("CITESPAN_DATA_DIR", str(tmp_path / "new"))
    with write_lock(tmp_path / "new"):
        refused = invoke("restore", file)
    assert (refused.exit_code, "Another process is writing" in refused.output) == (2, True)
    assert invoke("restore", file, "--collection", "default").exit_code == 0
    after = json.loads(invoke(*question).output)
    assert "noon" in after["answer"]["text"]
    assert {name: after[name] for name in ("answer", "passages", "fingerprint")} == {
        name: before[name] for name in ("answer", "passages", "fingerprint")
    }


def test_doctor_repairs_what_the_texts_can_repair(data: Path, folder: Path) -> None:
    invoke("build", str(folder))
    question = ("ask", "--json", "When does the ferry leave?")
    before = json.loads(invoke(*question).output)
    assert "noon" in before["answer"]["text"]
    store = data / "default" / "store.sqlite"
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("UPDATE passages SET text = replace(text, 'noon', 'five')")
        connection.execute("UPDATE vectors SET vector = zeroblob(length(vector)) WHERE passage = 2")
        connection.execute("INSERT INTO full_text (full_text) VALUES ('delete-all')")
    sick = invoke("doctor")
    assert sick.exit_code == 1
    assert "1 passages that are not what was stored" in sick.output
    assert "citespan doctor --repair" in sick.output
    assert "is damaged" in invoke(*question).output
    repaired = invoke("doctor", "--repair")
    assert repaired.exit_code == 0, repaired.output
    assert "default: a.txt was indexed anew from its text" in repaired.output
    after = json.loads(invoke(*question).output)
    assert (after["answer"], after["fingerprint"]) == (before["answer"], before["fingerprint"])


def test_doctor_names_what_it_cannot_repair_and_sending_it_again_does(data: Path, folder: Path) -> None:
    invoke("build", str(folder))
    with closing(sqlite3.connect(data / "default" / "store.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE documents SET text = replace(text, 'noon', 'five')")
    repaired = invoke("doctor", "--repair")
    assert repaired.exit_code == 1
    assert "default: a.txt is lost; send it again" in repaired.output
    assert "1 replaced, 1 unchanged" in invoke("build", str(folder)).output
    assert invoke("doctor").exit_code == 0
    with closing(sqlite3.connect(data / "default" / "store.sqlite", isolation_level=None)) as connection:
        connection.create_function("checksum_of", -1, lambda *_: 1)
        connection.execute("UPDATE documents SET title = 'Other' WHERE source = 'a.txt'")
    assert "default: a.txt is lost" in invoke("doctor", "--repair").output
    assert "1 replaced, 1 unchanged" in invoke("build", str(folder)).output
    assert invoke("doctor").exit_code == 0


def test_sync_here_adds_updates_and_removes(data: Path, folder: Path) -> None:
    dry = invoke("sync", str(folder), "--dry-run")
    assert dry.exit_code == 0
    assert "would add a.txt" in dry.output
    assert not (data / "default").exists()
    assert invoke("sync", str(folder)).exit_code == 0
    (folder / "a.txt").write_text("The ferry leaves at two.")
    (folder / "deep" / "b.md").unlink()
    (folder / "broken.txt").write_bytes(b"\x00\xff")
    result = invoke("sync", str(folder))
    assert result.exit_code == 1
    assert "broken.txt" in result.output
    assert "leaves at two" in invoke("ask", "When does the ferry leave?").output
    listed = [json.loads(line) for line in invoke("list", "--json").stdout.splitlines()]
    assert [each["source"] for each in listed] == ["a.txt"]
    assert "default: 1 documents" in invoke("collections", "list").output


def test_the_key_for_a_service_does_not_disturb_a_command_without_url(
    data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITESPAN_API_KEY", "a-secret-of-some-length")
    assert invoke("sync", str(folder)).exit_code == 0


def test_reindex_here_brings_an_index_up_to_date(data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke("sync", str(folder))
    monkeypatch.setattr("index.indexer.RULES_VERSION", 99)
    assert "citespan reindex" in invoke("ask", "When does the ferry leave?").output
    assert "the index of 'default' is current" in invoke("reindex").output
    assert "every index is current" in invoke("reindex").output
    assert "noon" in invoke("ask", "When does the ferry leave?").output
