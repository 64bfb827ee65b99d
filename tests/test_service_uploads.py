"""Files over HTTP: forms, their fields, names that lie, and bodies that are no forms."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from applications import application, problem
from fastapi.testclient import TestClient
from make_formats import DATA

TEXT = "Ada Lovelace wrote the first program in 1843. It computed Bernoulli numbers. 🚀 Done."


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with application(tmp_path / "data", max_file_bytes=100_000) as made:
        yield made


def upload(client: TestClient, name: str, data: bytes, **fields: Any) -> Any:
    return client.post("/v1/documents", files={"file": (name, data)}, data=fields)


def spooled(client: TestClient, tmp_path: Path) -> list[Path]:
    return list((tmp_path / "data" / ".spool").glob("*"))


def test_a_file_is_added_replaced_and_left_alone(client: TestClient, tmp_path: Path) -> None:
    response = upload(client, "ada.txt", TEXT.encode())
    assert response.status_code == 201
    receipt = response.json()
    assert receipt["source"] == "ada.txt"
    assert response.headers["location"] == f"/v1/documents/{receipt['id']}"
    assert client.get(f"/v1/documents/{receipt['id']}/text").text == TEXT
    again = upload(client, "ada.txt", TEXT.encode())
    assert (again.status_code, again.json()) == (200, receipt)
    other = upload(client, "ada.txt", b"She wrote notes.")
    assert (other.status_code, other.json()["id"]) == (200, receipt["id"])
    assert client.post("/v1/ask", json={"question": "Who wrote notes?"}).json()["passages"]
    assert spooled(client, tmp_path) == []


def test_all_that_is_said_of_a_file_is_kept(client: TestClient) -> None:
    client.post("/v1/collections", json={"name": "notes"})
    response = upload(
        client,
        "ada.md",
        b"# Notes\n\nShe wrote notes.",
        title="The notes",
        source="people/ada.md",
        collection="notes",
        tags=["people", "programs"],
        date="1843-09-01",
        metadata=json.dumps({"pages": 20, "open": True}),
    )
    assert response.status_code == 201
    assert response.headers["location"].endswith("?collection=notes")
    found = client.get(f"/v1/documents/{response.json()['id']}", params={"collection": "notes"}).json()
    assert (found["title"], found["source"], found["date"]) == ("The notes", "people/ada.md", "1843-09-01")
    assert (found["tags"], found["metadata"]) == (["people", "programs"], {"pages": 20, "open": True})


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\ada\\notes.txt", "notes.txt"),
        ("/a/b/c.txt", "c.txt"),
        ("no\x00tes\x1b.txt", "notes.txt"),
        ("\u202etxt.seton.txt", "txt.seton.txt"),
        ("a" * 900 + ".txt", "a" * 900 + ".txt"),
        ("ümläut 🚀.txt", "ümläut 🚀.txt"),
    ],
)
def test_a_name_is_reduced_to_the_bare_name(client: TestClient, name: str, source: str) -> None:
    body = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + TEXT.encode()
        + b"\r\n--x--\r\n"
    )
    response = client.post("/v1/documents", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert response.status_code == 201, response.text
    assert response.json()["source"] == source


@pytest.mark.parametrize(
    ("files", "fields", "complaint"),
    [
        ([("file", ("..", b"x"))], {}, "/file: This part needs a file name"),
        ([("file", ("a.txt", b"x")), ("file", ("b.txt", b"y"))], {}, "/file: One file at a time"),
        ([("other", ("a.txt", b"x"))], {}, "/other: Only 'file' may be a file"),
        ([("file", ("a.txt", b"x"))], {"colour": "red"}, "/colour: Extra inputs"),
        ([("file", ("a.txt", b"x"))], {"title": ["a", "b"]}, "/title: This field may stand once only"),
        ([("file", ("a.txt", b"x"))], {"metadata": "{"}, "/metadata: The value is not JSON"),
        ([("file", ("a.txt", b"x"))], {"metadata": "[1]"}, "/metadata"),
        ([("file", ("a.txt", b"x"))], {"metadata": "[" * 100_000}, "/metadata: The value is not JSON"),
        ([("file", ("a.txt", b"x"))], {"collection": "No name"}, "/collection"),
    ],
)
def test_forms_with_wrong_fields_are_refused(
    client: TestClient, tmp_path: Path, files: list[Any], fields: dict[str, Any], complaint: str
) -> None:
    detail = problem(client.post("/v1/documents", files=files, data=fields), 422, "invalid-request")
    assert detail.startswith(complaint)
    assert client.get("/v1/documents").json()["items"] == []
    assert spooled(client, tmp_path) == []


def test_dates_and_tags_that_cannot_be_taken_are_refused(client: TestClient) -> None:
    assert "no day" in problem(upload(client, "a.txt", b"x", date="May"), 422, "invalid-document")
    assert "blank" in problem(upload(client, "a.txt", b"x", tags=[" "]), 422, "invalid-document")


_PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nshe wrote'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (_PART + b"\r\n--x--\r\n", "multipart/form-data"),
        (_PART + b"\r\n--x--\r\n", "multipart/form-data; boundary=" + "x" * 71),
        (_PART, "multipart/form-data; boundary=x"),
        (_PART + b"\r\n--x\r\n", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data; boundary=x"),
        (b"she wrote notes", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\nshe wrote\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: attachment\r\n\r\nhm\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"A: b\r\n" * 1000 + b"\r\nhm\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nA: " + b"b" * 100_000 + b"\r\n\r\nhm\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="tags"\r\n\r\na\r\n' * 1000 + b"--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_what_is_no_form_is_told_so(client: TestClient, tmp_path: Path, body: bytes, content_type: str) -> None:
    response = client.post("/v1/documents", content=body, headers={"Content-Type": content_type})
    problem(response, 400, "invalid-form")
    assert spooled(client, tmp_path) == []


def test_files_that_are_too_large_are_refused_whether_or_not_the_length_is_told(
    client: TestClient, tmp_path: Path
) -> None:
    assert upload(client, "fits.txt", b"a word " * 14_000).status_code == 201
    assert "100000 bytes" in problem(upload(client, "large.txt", b"a word " * 15_000), 413, "body-too-large")
    problem(upload(client, "larger.txt", b"a word " * 150_000), 413, "body-too-large")

    def parts() -> Iterator[bytes]:
        yield _PART
        for _ in range(100):
            yield b"a word " * 2_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    problem(client.post("/v1/documents", content=parts(), headers=headers), 413, "body-too-large")
    problem(upload(client, "a.txt", b"x", title="t" * 300_000), 413, "body-too-large")
    assert spooled(client, tmp_path) == []


def test_a_key_that_may_not_write_adds_no_file(tmp_path: Path) -> None:
    keys = f"reader:{'r' * 16}:default:read,writer:{'w' * 16}:notes"
    with application(tmp_path / "data", keys=keys) as client:
        for secret, collection in (("r", "default"), ("w", "default")):
            response = client.post(
                "/v1/documents",
                files={"file": ("a.txt", b"x")},
                data={"collection": collection},
                headers={"Authorization": f"Bearer {secret * 16}"},
            )
            problem(response, 403, "forbidden")


def test_files_of_every_format_are_taken_and_cited_with_page_and_section(tmp_path: Path) -> None:
    with application(tmp_path / "data", finds={"Petra Holm": 9.0}) as client:
        for file in ("water-1.pdf", "rules-1.docx", "ferry-1.html"):
            response = upload(client, file, (DATA / file).read_bytes(), tags=["all"])
            assert response.status_code == 201, response.text
        listed = {each["source"]: each for each in client.get("/v1/documents").json()["items"]}
        assert {source: each["pages"] for source, each in listed.items()} == {
            "water-1.pdf": 3,
            "rules-1.docx": None,
            "ferry-1.html": None,
        }
        assert all(each["tags"] == ["all"] for each in listed.values())
        again = upload(client, "water-1.pdf", (DATA / "water-1.pdf").read_bytes(), tags=["all"])
        assert (again.status_code, again.json()["generation"]) == (200, listed["water-1.pdf"]["generation"])
        answer = client.post("/v1/ask", json={"question": "Who leads the Eidsund Water Board?"}).json()["answer"]
        citation = answer["citations"][0]
        assert (citation["page"], citation["section"]) == (3, "Outlook")
        text = client.get(f"/v1/documents/{citation['document_id']}/text").text
        assert text[citation["start_char_index"] : citation["end_char_index"]] == "Petra Holm"
        assert spooled(client, tmp_path) == []


def test_rows_are_answered_as_a_batch(client: TestClient, tmp_path: Path) -> None:
    rows = b"title;text;kind\nMill;It was built in 1742.;a\nBoat;;b\nFerry;It leaves at noon.;c\n"
    report = upload(client, "rows.csv", rows, tags=["rows"]).json()
    assert (report["lines"], report["added"], report["failed"]) == (3, 2, 1)
    assert report["failures"] == [{"line": 2, "detail": "The document holds no text."}]
    listed = client.get("/v1/documents").json()["items"]
    assert [each["source"] for each in listed] == ["rows.csv#1", "rows.csv#3"]
    assert (listed[0]["metadata"], listed[0]["tags"]) == ({"kind": "a"}, ["rows"])
    lines = b'{"text": "One."}\n\n{"text": "Two.", "source": "two"}\nnone\n{"text": 3}\n'
    report = upload(client, "lines.jsonl", lines, source="more").json()
    assert (report["lines"], report["added"], [each["line"] for each in report["failures"]]) == (5, 2, [4, 5])
    assert [each["source"] for each in client.get("/v1/documents").json()["items"]][2:] == ["more#1", "two"]
    assert "A title is for a file" in problem(upload(client, "a.csv", rows, title="No"), 422, "invalid-document")
    assert spooled(client, tmp_path) == []


def test_a_long_table_becomes_a_job(client: TestClient, tmp_path: Path) -> None:
    rows = "name,born\n" + "".join(f"N{number},{number}\n" for number in range(600))
    response = upload(client, "rows.csv", rows.encode())
    assert response.status_code == 202
    job = response.json()
    while job["state"] in ("waiting", "running"):
        job = client.get(response.headers["location"]).json()
    assert (job["state"], job["total"], job["added"]) == ("done", 600, 600)
    assert spooled(client, tmp_path) == []


@pytest.mark.parametrize(
    ("name", "data", "status", "slug"),
    [
        ("a.pdf", b"plain", 415, "unsupported-format"),
        ("a.pdf", b"%PDF-1.7 and no more", 422, "damaged-file"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), 422, "encrypted-file"),
        ("a.html", b"<html><body><script>1</script></body></html>", 422, "empty-file"),
        ("a.html", b"<html><body>" + b"<div>" * 5000, 422, "file-over-limit"),
        ("a.txt", b" \n", 422, "invalid-document"),
    ],
)
def test_files_that_cannot_be_read_are_problems(
    client: TestClient, tmp_path: Path, name: str, data: bytes, status: int, slug: str
) -> None:
    problem(upload(client, name, data), status, slug)
    assert client.get("/v1/documents").json()["items"] == []
    assert spooled(client, tmp_path) == []


def test_the_description_of_the_service_refers_to_nothing_that_is_not_there(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described)):
        found = described
        for part in reference.split("/"):
            found = found[part]
    body = described["paths"]["/v1/documents"]["post"]["requestBody"]["content"]
    assert {"file", "source", "title", "tags", "date", "metadata", "collection"} == set(
        body["multipart/form-data"]["schema"]["properties"]
    )
    assert "headings" in body["application/json"]["schema"]["properties"]
