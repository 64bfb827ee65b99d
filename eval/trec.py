"""TREC: topics and relevance judgements (qrels) as cases, and what was retrieved as a TREC run.

The formats are those of trec_eval: qrels are lines of `topic 0 document grade`, a run has lines of
`topic Q0 document rank score tag`. Topics are the tagged text of the TREC tracks (`<top>`, `<num>`, `<title>`), or
lines of `topic<tab>question`. A document is named by its source; where only the judgements leave ".txt" out, so do we.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from eval.cases import Case, Relevant
from eval.ranking import document_name, documents_of
from eval.run import Record
from index.errors import InvalidCase

_TOPIC = re.compile(r"<top>(.*?)</top>", re.DOTALL | re.IGNORECASE)
_FIELD = re.compile(r"<(\w+)>\s*(.*?)\s*(?=<|\Z)", re.DOTALL)
_LABEL = re.compile(r"^(?:Number|Topic|Title|Description|Narrative):\s*", re.IGNORECASE)


def read_topics(topics: Path, qrels: Path) -> list[Case]:
    """Read topics with their judgements, in the order of the topics; those without any judgement are left out.

    The question of a topic is its description (`<desc>`) where it has one, else its title.

    Raises:
        InvalidCase: a file cannot be read, or a line is not as it should be.
    """
    judged = _read_qrels(qrels)
    found: dict[str, str] = {}
    for topic, question in _questions(_read(topics), topics):
        if topic in found:
            raise InvalidCase(f"{topics}: the topic {topic!r} stands twice")
        found[topic] = question
    cases = [
        Case(topic, question, (), (), any(each.grade > 0 for each in judged[topic]), (), "test", relevant=judged[topic])
        for topic, question in found.items()
        if topic in judged
    ]
    if not cases:
        raise InvalidCase(f"{qrels} judges none of the topics of {topics}; do they belong together?")
    return cases


def run_lines(records: Iterable[Record], *, tag: str = "citespan") -> list[str]:
    """Return the lines of a TREC run: the documents retrieved for every case, each once, by their best passages.

    Scores count down from the number of documents: evaluations sort by them, and break ties in ways of their own.
    """
    lines = []
    for record in records:
        known = {each.document for each in record.case.relevant}
        passages = record.reply.passages if record.reply else ()
        names = [document_name(source, known) for source in documents_of(passages)]
        for rank, name in enumerate(names, start=1):
            lines.append(f"{_word(record.case.id)} Q0 {_word(name)} {rank} {len(names) - rank + 1} {tag}")
    return lines


def qrels_lines(cases: Iterable[Case]) -> list[str]:
    """Return the lines of qrels: the judgements of every case, or grade 1 for each document with a gold span."""
    lines = []
    for case in cases:
        gold = [Relevant(name, 1) for name in dict.fromkeys(span.document for span in case.spans)]
        lines += [f"{_word(case.id)} 0 {_word(each.document)} {each.grade}" for each in case.relevant or gold]
    return lines


def _questions(text: str, path: Path) -> Iterable[tuple[str, str]]:
    if blocks := _TOPIC.findall(text):
        for block in blocks:
            fields = {name.lower(): _LABEL.sub("", value) for name, value in _FIELD.findall(block)}
            question = " ".join((fields.get("desc") or fields.get("title") or "").split())
            if not fields.get("num") or not question:
                raise InvalidCase(f"{path}: a topic needs <num>, and <title> or <desc>")
            yield fields["num"], question
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            topic, tab, question = line.partition("\t")
            if not tab or not topic.strip() or not question.strip():
                raise InvalidCase(f"{path}, line {number}: a topic is its number, a tab, and the question")
            yield topic.strip(), question.strip()


def _read_qrels(path: Path) -> dict[str, tuple[Relevant, ...]]:
    judged: defaultdict[str, dict[str, Relevant]] = defaultdict(dict)
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            topic, _, document, grade = line.split()
            judged[topic][document] = Relevant(document, int(grade))
        except ValueError as error:
            raise InvalidCase(f"{path}, line {number}: a judgement is `topic 0 document grade`") from error
    return {topic: tuple(each.values()) for topic, each in judged.items()}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCase(f"{path} cannot be read: {error}.") from error


def _word(name: str) -> str:
    """Return a name as one word: white space would end the column."""
    return re.sub(r"\s", lambda match: quote(match.group()), name)
