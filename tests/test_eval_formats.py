"""SQuAD and TREC: what is read means what it says there, and what is written scores with others as it does with us."""

import json
import random
import re
import string
from collections import Counter
from pathlib import Path
from typing import Any

import ir_measures
import pytest
from click.testing import CliRunner, Result
from conftest import MODEL_CACHE
from ir_measures import RR, nDCG
from scripted_engine import CASES, ScriptedEngine

from eval.cases import Case, Relevant
from eval.cli import main
from eval.figures import exact_match, f1, figures
from eval.replies import Proposal, Reply, Retrieved
from eval.run import run_cases
from eval.run_file import read_run, write_run
from eval.sets import read_set
from eval.trec import qrels_lines, run_lines
from eval.verdicts import Verdict
from index.errors import InvalidCase

# The definitions of the SQuAD evaluation, written down anew from the papers and their appendices: Rajpurkar et al. 2016
# (section 4.2, the macro-averaged F1), and Rajpurkar, Jia & Liang 2018 (section 6, what has no answer).


def published_normal_form(text: str) -> str:
    lowered = text.lower()
    without_punctuation = "".join(character for character in lowered if character not in set(string.punctuation))
    without_articles = re.sub(r"\b(a|an|the)\b", " ", without_punctuation)
    return " ".join(without_articles.split())


def published_exact(prediction: str, gold: list[str]) -> int:
    return max(int(published_normal_form(prediction) == published_normal_form(each)) for each in gold)


def published_f1(prediction: str, gold: list[str]) -> float:
    def of_one(answer: str) -> float:
        predicted, wanted = published_normal_form(prediction).split(), published_normal_form(answer).split()
        if len(predicted) == 0 or len(wanted) == 0:
            return float(predicted == wanted)
        same = sum((Counter(predicted) & Counter(wanted)).values())
        if same == 0:
            return 0.0
        precision = 1.0 * same / len(predicted)
        recall = 1.0 * same / len(wanted)
        return (2 * precision * recall) / (precision + recall)

    return max(of_one(each) for each in gold)


def published_gold(answers: list[str]) -> list[str]:
    """Answers of which nothing is left do not count; where none is left, silence is right."""
    return [each for each in answers if published_normal_form(each)] or [""]


WORDS = (
    "the The a an AN Zürich café cafe\u0301 naïve Łódź ½ ① ２０１９ 42 42. 57.9 US$1 -3 – “quoted” quoted ‘it’s’ its "
    "Müller-Lüdenscheidt 東京 大阪 Привет ПРИВЕТ İstanbul ǅ ß SS 🚀 👩‍👩‍👧 𝟜𝟚 e.g. (one) theatre another"
).split(" ")


def a_squad_file(path: Path, count: int) -> dict[str, str]:
    """Write a data set of `count` questions and return a prediction for each: near, far, empty, the same."""
    draw = random.Random(2016)
    paragraphs, predictions = [], {}
    for number in range(count):
        words = [draw.choice(WORDS) for _ in range(draw.randint(3, 12))]
        context = draw.choice((" ", "  ", "\n", "\r\n", "\u00a0")).join(words)
        answers = []
        for _ in range(draw.choice((0, 0, 1, 1, 2, 3))):
            first = draw.randrange(len(context))
            text = context[first : first + draw.randint(1, 25)].rstrip("\r")
            if text.strip():
                answers.append({"text": text, "answer_start": first})
        identifier = f"q{number}"
        paragraphs.append(
            {
                "context": context,
                "qas": [
                    {"id": identifier, "question": "What?", "answers": answers, "is_impossible": not answers},
                ],
            }
        )
        near = draw.choice(answers)["text"] if answers else ""
        changed = [*str(near).split(), draw.choice(WORDS)]
        draw.shuffle(changed)
        wild = " ".join(draw.choices(WORDS, k=draw.randint(1, 6)))
        predictions[identifier] = draw.choice(("", str(near), str(near).upper(), " ".join(changed), wild))
    path.write_text(json.dumps({"version": "v2.0", "data": [{"title": "Odd_words", "paragraphs": paragraphs}]}))
    return predictions


class _Predicting(ScriptedEngine):
    """Says what it is told, whether it stands anywhere or not."""

    def __init__(self, predictions: dict[str, str]) -> None:
        super().__init__()
        self._predictions = predictions

    def ask(self, case: Case) -> Reply:
        text = self._predictions[case.id]
        return Reply(Proposal(text, 0.75, ()) if text else None, (), None, (), "f", 1.0)


def test_exact_match_and_f1_are_the_published_ones_to_the_last_digit(tmp_path: Path) -> None:
    predictions = a_squad_file(tmp_path / "odd.json", 1000)
    questions = read_set(tmp_path / "odd.json")
    run = run_cases("odd", questions.cases, _Predicting(predictions))
    content = json.loads((tmp_path / "odd.json").read_text())
    asked = [qa for article in content["data"] for paragraph in article["paragraphs"] for qa in paragraph["qas"]]
    assert [record.case.id for record in run.records] == [qa["id"] for qa in asked]
    kinds: Counter[float] = Counter()
    total = 0.0
    for record, qa in zip(run.records, asked, strict=True):
        gold = published_gold([each["text"] for each in qa["answers"]])
        prediction = predictions[qa["id"]]
        assert exact_match(record) == published_exact(prediction, gold)
        assert f1(record) == published_f1(prediction, gold)
        kinds[f1(record)] += 1
        total += published_f1(prediction, gold)
    assert len(kinds) > 15  # not all right or wrong
    assert sum(not qa["answers"] for qa in asked) > 200
    found = figures(run.records)
    assert found.f1 is not None
    assert f"{100 * found.f1.value:.10f}" == f"{100.0 * total / 1000:.10f}"


def test_gold_of_a_squad_file_stands_in_its_documents(tmp_path: Path) -> None:
    a_squad_file(tmp_path / "odd.json", 300)
    questions = read_set(tmp_path / "odd.json")
    texts = {document.source: document.text for document in questions.documents}
    for case in questions.cases:
        accepted = {answer.replace("\r\n", "\n") for answer in case.answers}
        assert {texts[span.document][span.start : span.end] for span in case.spans} == accepted


def squad(path: Path, **paragraph: Any) -> Path:
    asked = {"id": "x", "question": " Who  wrote it? ", "answers": [{"text": "Ada", "answer_start": 0}]}
    content = {"context": "Ada wrote it.", "qas": [asked]} | paragraph
    path.write_text(json.dumps({"data": [{"title": "A_b", "paragraphs": [content]}]}))
    return path


def test_squad_1_1_has_no_impossible_questions(tmp_path: Path) -> None:
    (case,) = read_set(squad(tmp_path / "a.json")).cases
    assert (case.question, case.answers, case.answerable) == ("Who wrote it?", ("Ada",), True)
    assert [(span.document, span.start, span.end) for span in case.spans] == [("A_b#0", 0, 3)]


def test_plausible_answers_of_squad_2_are_none(tmp_path: Path) -> None:
    asked = {"id": "x", "question": "Who?", "answers": [], "plausible_answers": [{"text": "Ada", "answer_start": 0}]}
    (case,) = read_set(squad(tmp_path / "a.json", qas=[asked | {"is_impossible": True}])).cases
    assert (case.answers, case.spans, case.answerable) == ((), (), False)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"qas": [{"id": "x", "question": "?", "answers": [{"text": "Bob", "answer_start": 0}]}]}, "'Bob' of the qu"),
        ({"qas": [{"id": "x", "question": "?"}]}, "KeyError"),
        ({"qas": [{"id": "x", "question": "?", "answers": []}] * 2}, "'x' stands twice"),
        ({"context": ""}, "holds no text"),
    ],
)
def test_what_is_no_squad_is_refused(change: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match=complaint):
        read_set(squad(tmp_path / "a.json", **change))


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"data": [{"title": "x"}]}'])
def test_other_json_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InvalidCase, match="cannot be read as SQuAD"):
        read_set(tmp_path / "a.json")


def test_a_missing_file_is_told_in_few_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match="there is no such file"):
        read_set(tmp_path / "none.json")


def test_squad_is_run_in_process_with_its_own_paragraphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITESPAN_MODEL_CACHE", str(MODEL_CACHE))
    squad(tmp_path / "a.json")
    arguments = ["run", str(tmp_path / "a.json"), "--out", str(tmp_path / "run.json")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    (record,) = read_run(tmp_path / "run.json").records
    assert record.gains.ranked == (1,)
    assert record.verdict is Verdict.RIGHT


TOPICS = """
<top>
<num> Number: 301
<title> ferry times

<desc> Description:
When does the ferry
leave?

<narr> Narrative:
Anything about noon.
</top>
<top>
<num> Number: 302 </num>
<title> museum </title>
</top>
<top><num>303<title>not judged</top>
"""
QRELS = "301 0 ferry 2\n301 0 museum.txt 0\n\n302 0 museum.txt 1\n302 0 archive.txt 3\n999 0 ferry 1\n"


def write_topics(folder: Path, topics: str = TOPICS, qrels: str = QRELS) -> tuple[Path, Path]:
    (folder / "topics").write_text(topics)
    (folder / "qrels").write_text(qrels)
    return folder / "topics", folder / "qrels"


def test_trec_topics_are_read_with_their_judgements(tmp_path: Path) -> None:
    topics, qrels = write_topics(tmp_path)
    first, second = read_set(topics, qrels=qrels).cases
    assert (first.id, first.question) == ("301", "When does the ferry leave?")
    assert first.relevant == (Relevant("ferry", 2), Relevant("museum.txt", 0))
    assert (second.id, second.question) == ("302", "museum")
    lines = write_topics(tmp_path, "301\tWhen does the ferry leave?\n\n302\tmuseum\n")
    assert read_set(lines[0], qrels=lines[1]).cases == (first, second)


@pytest.mark.parametrize(
    ("topics", "qrels", "complaint"),
    [
        (TOPICS, "301 0 ferry\n", "line 1: a judgement is"),
        (TOPICS, "301 0 ferry high\n", "line 1: a judgement is"),
        (TOPICS, "7 0 ferry 1\n", "judges none of the topics"),
        ("301 no tab\n", QRELS, "line 1: a topic is"),
        ("301\tA\n301\tB\n", QRELS, "'301' stands twice"),
        ("<top><num>301</top>", QRELS, "a topic needs <num>"),
    ],
)
def test_what_is_no_trec_is_refused(topics: str, qrels: str, complaint: str, tmp_path: Path) -> None:
    paths = write_topics(tmp_path, topics, qrels)
    with pytest.raises(InvalidCase, match=complaint):
        read_set(paths[0], qrels=paths[1])


def test_topics_are_judged_by_what_is_retrieved_alone(tmp_path: Path) -> None:
    topics, qrels = write_topics(tmp_path)
    run = run_cases("topics", read_set(topics, qrels=qrels).cases, ScriptedEngine())
    assert {record.verdict for record in run.records} == {Verdict.UNJUDGED}
    found = figures(run.records)
    assert found.right is None
    assert found.mrr is not None
    assert found.mrr.value == pytest.approx((1 + 1 / 2) / 2)


class _Ranking(ScriptedEngine):
    """Retrieves passages at random, some of them of one document, and says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._draw = random.Random(1992)

    def ask(self, case: Case) -> Reply:
        passages = tuple(Retrieved(f"d{self._draw.randrange(40)}.txt", 0, 9, 1.0, None) for _ in range(20))
        return Reply(None, (), None, passages, "f", 1.0)


def judged_topics(count: int) -> list[Case]:
    draw = random.Random(1971)
    cases = []
    for number in range(count):
        judged = draw.sample(range(40), 12)
        relevant = tuple(Relevant(f"d{each}.txt", draw.choice((-1, 0, 1, 1, 2, 3))) for each in judged)
        cases.append(Case(f"t {number}", "?", (), (), True, (), "test", relevant=relevant))
    return cases


def test_trec_eval_scores_our_files_as_we_score_ourselves(tmp_path: Path) -> None:
    run = run_cases("topics", judged_topics(60), _Ranking())
    (tmp_path / "run").write_text("\n".join(run_lines(run.records)))
    (tmp_path / "qrels").write_text("\n".join(qrels_lines(record.case for record in run.records)))
    official = ir_measures.calc_aggregate(
        [nDCG @ 10, RR],
        list(ir_measures.read_trec_qrels(str(tmp_path / "qrels"))),
        list(ir_measures.read_trec_run(str(tmp_path / "run"))),
    )
    found = figures(run.records)
    assert found.ndcg_at_10 is not None
    assert found.mrr is not None
    assert found.ndcg_at_10.value == pytest.approx(official[nDCG @ 10])
    assert found.mrr.value == pytest.approx(official[RR])
    assert 0.2 < found.mrr.value < 0.9


def export(tmp_path: Path, *options: str) -> Result:
    engine = ScriptedEngine({"q-1": None, "q-2": ("museum.txt", "12 euros")})
    write_run(run_cases("few", CASES, engine), tmp_path / "run.json")
    return CliRunner().invoke(main, ["export", str(tmp_path / "run.json"), *options])


def test_export_writes_what_official_scorers_read(tmp_path: Path) -> None:
    names = ("squad-predictions", "squad-na-probs", "trec-run", "trec-qrels")
    paths = {name: tmp_path / name for name in names}
    result = export(tmp_path, *(part for name in names for part in (f"--{name}", str(paths[name]))))
    assert result.exit_code == 0, result.output
    predictions = json.loads(paths["squad-predictions"].read_text())
    assert predictions == {
        "q-1": "",
        "q-2": "12 euros",
        "q-3": "on weekdays",
        "q-4": "10:00",
        "q-5": "Ada Stone",
        "q-6": "",
        "q-7": "",
    }
    chances = json.loads(paths["squad-na-probs"].read_text())
    assert chances.keys() == predictions.keys()
    assert (chances["q-1"], chances["q-2"]) == (1.0, pytest.approx(0.1))
    assert paths["trec-run"].read_text().splitlines()[:2] == [
        "q-1 Q0 ferry.txt 1 2 citespan",
        "q-1 Q0 museum.txt 2 1 citespan",
    ]
    assert "q-4 0 museum.txt 1" in paths["trec-qrels"].read_text().splitlines()


def test_export_asks_what_to_write(tmp_path: Path) -> None:
    result = export(tmp_path)
    assert result.exit_code == 2
    assert "--trec-run" in result.output
