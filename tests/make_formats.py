"""Writes `tests/data/formats`: files as people have them, and `questions.jsonl`, what is asked of each.

`python tests/make_formats.py` once, when a writer is added or a story changes; needed are Chromium, LibreOffice
(libreoffice-writer-nogui), pandoc, and the packages python-docx and reportlab. The files are kept, since no two
versions of these programs write the same bytes; how they are read is what is tested.
"""

import csv
import html
import io
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docx import Document as WordDocument
from reportlab.lib.pagesizes import A4, A5
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    ListFlowable,
    PageBreak,
    PageTemplate,
    Paragraph,
    SimpleDocTemplate,
    Table,
)
from stories import Block, Story, stories

DATA = Path(__file__).parent / "data" / "formats"

# Writes a story to a path.
Writer = Callable[[Story, Path], None]


def run(*arguments: str | Path) -> None:
    """Run a program."""
    subprocess.run([str(each) for each in arguments], check=True, capture_output=True, timeout=180)


# Text


def as_text(story: Story) -> str:
    """Return plain text: headings between blank lines, rows with tabs."""
    parts = [story.title]
    for heading, blocks in story.sections:
        parts.append(heading)
        for block in blocks:
            if isinstance(block, str):
                parts.append(block)
            elif isinstance(block, list):
                parts.append("\n".join(f"- {item}" for item in block))
            else:
                parts.append("\n".join("\t".join(row) for row in block))
    return "\n\n".join(parts) + "\n"


def as_markdown(story: Story) -> str:
    """Return Markdown."""
    parts = [f"# {story.title}"]
    for heading, blocks in story.sections:
        parts.append(f"## {heading}")
        for block in blocks:
            if isinstance(block, str):
                parts.append(block)
            elif isinstance(block, list):
                parts.append("\n".join(f"{number}. {item}" for number, item in enumerate(block, start=1)))
            else:
                head, *rows = ("| " + " | ".join(row) + " |" for row in block)
                parts.append("\n".join([head, "|" + "---|" * len(block[0]), *rows]))
    return "\n\n".join(parts) + "\n"


def text_in(encoding: str) -> Writer:
    """Return a writer of plain text in an encoding."""

    def write(story: Story, path: Path) -> None:
        path.write_bytes(as_text(story).replace("\n", "\r\n").encode(encoding))

    return write


def markdown(story: Story, path: Path) -> None:
    """Write Markdown."""
    path.write_text(as_markdown(story), encoding="utf-8")


# HTML


def _blocks(blocks: tuple[Block, ...]) -> str:
    made = []
    for block in blocks:
        if isinstance(block, str):
            made.append(f"<p>{html.escape(block)}</p>")
        elif isinstance(block, list):
            made.append("<ul>" + "".join(f"<li>{html.escape(item)}</li>" for item in block) + "</ul>")
        else:
            head, *rows = block
            made.append(
                "<table><thead><tr>"
                + "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
                + "</tr></thead><tbody>"
                + "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
                + "</tbody></table>"
            )
    return "\n".join(made)


def _body(story: Story) -> str:
    return f"<h1>{html.escape(story.title)}</h1>\n" + "\n".join(
        f"<section><h2>{html.escape(heading)}</h2>\n{_blocks(blocks)}</section>" for heading, blocks in story.sections
    )


def _page(story: Story, style: str = "") -> str:
    head = f'<meta charset="utf-8"><style>{style}</style>'
    return f'<html lang="en"><head>{head}</head><body>{_body(story)}</body></html>'


def news_page(story: Story, charset: str) -> str:
    """Return a page of a newspaper, with all that stands around an article."""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="{charset}"><title>{html.escape(story.title)} | The Harbour Post</title>
<style>nav a {{ color: red }}</style><script>window.dataLayer = ["cookies"];</script></head><body>
<a class="skip-link" href="#main">Skip to content</a>
<div id="cookie-consent" role="dialog"><p>We and our 214 partners use cookies.</p><button>Accept all</button></div>
<header class="site-header"><a href="/">The Harbour Post</a><nav><ul><li><a href="/news">News</a></li>
<li><a href="/sport">Sport</a></li><li><a href="/weather">Weather</a></li></ul></nav></header>
<main id="main"><div class="breadcrumbs"><a href="/">Home</a> › <a href="/news">News</a></div><article>
<div class="share-bar"><a href="#">Share</a> <a href="#">Post</a> <a href="#">E-mail</a></div>
{_body(story)}
<div class="tags"><a href="/t/1">#coast</a> <a href="/t/2">#local</a></div></article>
<section class="related-stories"><h2>Related Articles</h2><ul><li><a href="/1">Mayor resigns over parking</a></li>
<li><a href="/2">Bridge stays closed all winter</a></li><li><a href="/3">Ten soups for cold days</a></li></ul></section>
<section id="comments"><h2>17 Comments</h2><div><b>user99</b><p>First!</p></div></section></main>
<aside class="sidebar"><h3>Newsletter</h3><p>Get the Harbour Post in your inbox every morning.</p></aside>
<footer><p>© The Harbour Post. All rights reserved.</p><a href="/privacy">Privacy</a></footer></body></html>
"""


def news_in(encoding: str, charset: str) -> Writer:
    """Return a writer of a newspaper's page in an encoding, which the page calls `charset`."""

    def write(story: Story, path: Path) -> None:
        path.write_bytes(news_page(story, charset).encode(encoding, "xmlcharrefreplace"))

    return write


def old_page(story: Story, path: Path) -> None:
    """Write a page as they were made once: a table for the layout, no main element, the menu made of links."""
    links = "<br>".join(f'<a href="{name}.htm">{name.title()}</a>' for name in ("home", "news", "history", "links"))
    page = (
        f"<HTML><HEAD><TITLE>{html.escape(story.title)}</TITLE></HEAD><BODY BGCOLOR=white><TABLE><TR>"
        f"<TD WIDTH=120><DIV CLASS=menu>{links}</DIV></TD><TD>{_body(story)}</TD></TR></TABLE></BODY></HTML>"
    )
    path.write_bytes(page.encode("iso-8859-1", "xmlcharrefreplace"))


def pandoc(story: Story, path: Path) -> None:
    """Let pandoc write HTML or DOCX, as the path says."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "story.md"
        markdown(story, source)
        run("pandoc", "--standalone", "--metadata", f"pagetitle={story.title}", source, "-o", path)


# DOCX


def word(story: Story, path: Path, *, breaks: bool = False) -> None:
    """Write DOCX with python-docx; `breaks` begins every section on a new page."""
    made: Any = WordDocument()
    made.core_properties.title = story.title
    made.sections[0].header.paragraphs[0].text = "For internal use"
    made.add_heading(story.title, 0)
    for number, (heading, blocks) in enumerate(story.sections):
        if breaks and number:
            made.add_page_break()
        made.add_heading(heading, 1)
        for block in blocks:
            if isinstance(block, str):
                paragraph = made.add_paragraph()
                first, space, rest = block.partition(" ")
                paragraph.add_run(first + space).bold = True
                paragraph.add_run(rest)
            elif isinstance(block, list):
                for item in block:
                    made.add_paragraph(item, style="List Bullet")
            else:
                table = made.add_table(rows=0, cols=len(block[0]), style="Table Grid")
                for row in block:
                    for cell, words in zip(table.add_row().cells, row, strict=True):
                        cell.text = words
    made.save(str(path))


def office(story: Story, path: Path, source: Path) -> None:
    """Let LibreOffice convert a file to what the path says."""
    kinds = {".pdf": "pdf", ".docx": "docx:MS Word 2007 XML", ".html": "html:HTML (StarWriter)"}
    run("soffice", "--headless", "--convert-to", kinds[path.suffix], "--outdir", path.parent, source)
    made = source.with_suffix(path.suffix).name
    if made != path.name:
        (path.parent / made).replace(path)


def word_by_office(story: Story, path: Path) -> None:
    """Write a web page and let LibreOffice make DOCX of it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{path.stem}.html"
        source.write_text(
            f"<html><head><meta charset=utf-8></head><body>{_body(story)}</body></html>", encoding="utf-8"
        )
        office(story, path, source)


def html_by_office(story: Story, path: Path) -> None:
    """Write DOCX and let LibreOffice make a web page of it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{path.stem}.docx"
        word(story, source)
        office(story, path, source)


# PDF


def pdf_by_office(story: Story, path: Path) -> None:
    """Write DOCX, every section on a page, and let LibreOffice print it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{path.stem}.docx"
        word(story, source, breaks=True)
        office(story, path, source)


def printed(style: str) -> Writer:
    """Return a writer that lets Chromium print a page with a style."""

    def write(story: Story, path: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "story.html"
            source.write_text(_page(story, style), encoding="utf-8")
            run(
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                f"--user-data-dir={folder}/profile", f"--print-to-pdf={path}", source.as_uri(),
            )  # fmt: skip

    return write


ONE_COLUMN = (
    "@page { size: A4; margin: 25mm } body { font: 11pt 'DejaVu Serif', serif; text-align: justify }"
    " td, th { padding: 2pt 16pt 2pt 0; text-align: left }"
)
BOOK = (
    "@page { size: A5; margin: 20mm 16mm; @top-left { content: 'Collected Papers'; font-size: 8pt }"
    " @top-right { content: 'Second Edition'; font-size: 8pt }"
    " @bottom-center { content: 'Page ' counter(page) ' of ' counter(pages); font-size: 8pt } }"
    " body { font: 10pt 'DejaVu Sans', sans-serif } section + section { break-before: page }"
)
TWO_COLUMNS = (
    "@page { size: A4; margin: 20mm } body { font: 11pt 'DejaVu Serif', serif; columns: 2; column-gap: 9mm;"
    " text-align: justify; hyphens: auto } h1 { column-span: all }"
)


def _flowables(story: Story, *, breaks: bool) -> list[object]:
    styles = getSampleStyleSheet()
    made: list[object] = [Paragraph(html.escape(story.title), styles["Title"])]
    for number, (heading, blocks) in enumerate(story.sections):
        if breaks and number:
            made.append(PageBreak())
        made.append(Paragraph(html.escape(heading), styles["Heading2"]))
        for block in blocks:
            if isinstance(block, str):
                made.append(Paragraph(html.escape(block), styles["BodyText"]))
            elif isinstance(block, list):
                made.append(ListFlowable([Paragraph(html.escape(item), styles["BodyText"]) for item in block]))
            else:
                made.append(Table([list(row) for row in block], hAlign="LEFT"))
    return made


def report(story: Story, path: Path) -> None:
    """Write PDF with reportlab: a running head and a page number on each page, a section on each page."""

    def decorate(canvas: Canvas, template: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(60, 805, "Office of the Clerk")
        canvas.drawRightString(530, 805, f"File 2207 / {template.page}")
        canvas.drawCentredString(297, 30, f"- {template.page} -")

    template = SimpleDocTemplate(str(path), pagesize=A4, title=story.title, invariant=1)
    template.build(_flowables(story, breaks=True), onFirstPage=decorate, onLaterPages=decorate)


def framed(story: Story, path: Path) -> None:
    """Write PDF with reportlab in two columns, which a small page fills."""
    width, height = A5
    frames = [Frame(30 + side * (width / 2 - 15), 40, width / 2 - 45, height - 80) for side in (0, 1)]
    template = BaseDocTemplate(str(path), pagesize=A5, title=story.title, invariant=1)
    template.addPageTemplates([PageTemplate("columns", frames)])
    template.build(_flowables(story, breaks=False))


def _wrapped(words: str, width: int) -> list[str]:
    """Wrap words, and hyphenate long ones, as a typesetter does."""
    lines = [""]
    for word_ in words.split():
        line = lines[-1]
        if len(line) + 1 + len(word_) <= width or not line:
            lines[-1] = f"{line} {word_}".strip()
            continue
        room = width - len(line) - 2
        if room >= 4 and len(word_) >= 9 and word_.isalpha() and word_.islower():
            cut = min(room, len(word_) - 4)
            lines[-1] = f"{line} {word_[:cut]}-"
            lines.append(word_[cut:])
        else:
            lines.append(word_)
    return lines


def typeset(story: Story, path: Path) -> None:
    """Write PDF line by line across both columns, which is how some programs do it."""
    lines: list[tuple[str, bool]] = []
    for heading, blocks in story.sections:
        lines += [("", False), (heading, True), ("", False)] if lines else [(heading, True), ("", False)]
        for block in blocks:
            if not isinstance(block, str):
                raise TypeError("this writer has paragraphs only")
            lines += [(line, False) for line in _wrapped(block, 44)] + [("", False)]
    half = -(-len(lines) // 2)
    canvas = Canvas(str(path), pagesize=A4, invariant=1)
    canvas.setFont("Times-Bold", 18)
    canvas.drawString(60, 780, story.title)
    for row in range(half):
        for column, at in ((60, row), (310, half + row)):
            if at < len(lines):
                canvas.setFont("Times-Bold" if lines[at][1] else "Times-Roman", 11)
                canvas.drawString(column, 740 - 14 * row, lines[at][0])
    canvas.save()


# Rows


def _plain(blocks: tuple[Block, ...]) -> str:
    made = []
    for block in blocks:
        if isinstance(block, str):
            made.append(block)
        elif isinstance(block, list):
            made.extend(block)
        else:
            made.extend(": ".join(row) for row in block)
    return "\n".join(made)


def json_lines(story: Story, path: Path) -> None:
    """Write a line for each section."""
    lines = [
        {
            "title": f"{story.title}: {heading}",
            "text": _plain(blocks),
            "tags": [story.name],
            "metadata": {"part": number},
        }
        for number, (heading, blocks) in enumerate(story.sections, start=1)
    ]
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines), encoding="utf-8")


def _table(rows: list[list[str]], delimiter: str) -> str:
    made = io.StringIO()
    csv.writer(made, delimiter=delimiter).writerows(rows)
    return made.getvalue()


def table_of_texts(story: Story, path: Path) -> None:
    """Write a table with a column for the text, as spreadsheets export it in the west of Europe."""
    rows = [["Title", "Text", "Department"]]
    rows += [[f"{story.title}: {heading}", _plain(blocks), "Archive"] for heading, blocks in story.sections]
    path.write_bytes(_table(rows, ";").encode("cp1252", "replace"))


def table_of_topics(story: Story, path: Path) -> None:
    """Write a table without such a column."""
    rows = [["Topic", "Information"], *([heading, _plain(blocks)] for heading, blocks in story.sections)]
    path.write_text(_table(rows, ","), encoding="utf-8-sig")


# For each story its file: suffix, writer, and where the answer's page is known: 1, or "section", one a page.
RECIPES: dict[str, tuple[str, Writer, int | str | None]] = {
    "ferry-1": ("html", news_in("utf-8", "utf-8"), None),
    "ferry-2": ("html", news_in("cp1252", "windows-1252"), None),
    "ferry-3": ("pdf", printed(BOOK), "section"),
    "ferry-4": ("txt", text_in("utf-8"), None),
    "ferry-5": ("jsonl", json_lines, None),
    "water-1": ("pdf", printed(BOOK), "section"),
    "water-2": ("pdf", pdf_by_office, "section"),
    "water-3": ("docx", word, None),
    "water-4": ("html", pandoc, None),
    "water-5": ("md", markdown, None),
    "tower-1": ("pdf", printed(TWO_COLUMNS), 1),
    "tower-2": ("pdf", framed, 1),
    "tower-3": ("pdf", typeset, 1),
    "tower-4": ("docx", pandoc, None),
    "tower-5": ("html", html_by_office, None),
    "rules-1": ("docx", pandoc, None),
    "rules-2": ("pdf", printed(ONE_COLUMN), 1),
    "rules-3": ("html", news_in("iso-8859-1", "iso-8859-1"), None),
    "rules-4": ("md", markdown, None),
    "rules-5": ("docx", word, None),
    "works-1": ("txt", text_in("utf-16"), None),
    "works-2": ("txt", text_in("cp1252"), None),
    "works-3": ("pdf", typeset, 1),
    "works-4": ("pdf", printed(TWO_COLUMNS), 1),
    "works-5": ("html", news_in("utf-16", "utf-16"), None),
    "device-1": ("docx", word, None),
    "device-2": ("pdf", printed(ONE_COLUMN), 1),
    "device-3": ("pdf", pdf_by_office, "section"),
    "device-4": ("html", pandoc, None),
    "device-5": ("csv", table_of_topics, None),
    "minutes-1": ("pdf", report, "section"),
    "minutes-2": ("docx", word_by_office, None),
    "minutes-3": ("html", old_page, None),
    "minutes-4": ("csv", table_of_texts, None),
    "minutes-5": ("pdf", report, "section"),
    "study-1": ("pdf", printed(TWO_COLUMNS), 1),
    "study-2": ("pdf", framed, 1),
    "study-3": ("docx", word_by_office, None),
    "study-4": ("html", old_page, None),
    "study-5": ("jsonl", json_lines, None),
}


def questions(story: Story) -> list[dict[str, object]]:
    """Return what is asked of a story's file: the answer, and the page and section that a citation must name."""
    suffix, _, page = RECIPES[story.name]
    headings = [heading for heading, _ in story.sections]
    return [
        {
            "file": f"{story.name}.{suffix}",
            "question": each.question,
            "answer": each.answer,
            "section": None if suffix in ("csv", "jsonl") else each.section,
            "page": headings.index(each.section) + 1 if page == "section" else page,
        }
        for each in story.questions
    ]


def main() -> None:
    """Write everything anew."""
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    asked = []
    for story in stories():
        suffix, write, _ = RECIPES[story.name]
        write(story, DATA / f"{story.name}.{suffix}")
        asked += questions(story)
    lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in asked)
    (DATA / "questions.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
