"""`python -m eval.bench.reader DATA`: how well the reader reads with the paragraph given, and how fast it is."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import starmap
from pathlib import Path
from statistics import median
from typing import Any

import click
import httpx2
from rich.progress import track

from eval.bench.data import MEASURED, folder_argument, publish, sample, with_interval
from eval.bench.load import server
from eval.cases import SEEDS_SET, read_cases, select
from eval.metrics import exact_match, f1
from eval.squad import Corpus, Question, load_squad
from index.documents import make_document
from index.embedder import Embedder, load_embedder
from index.library import DEFAULT_COLLECTION
from index.passages import Passage, PassageSettings, Sentence, split_passages
from index.records import StoredPassage
from index.retriever import Hit
from index.sentences import split_sentences
from service.console import err
from service.engine import load_reader, open_engine
from service.reader.span_reader import SpanReader
from service.settings import Settings

_PASSAGES, _WORDS, _ROUNDS, _IN_A_ROW = 5, 200, 5, 5
# So long do the threads of one library wait for more work, and keep a core busy meanwhile, before they sleep.
_SPINNING_S = 0.5


@click.command()
@folder_argument
@click.option("--questions", default=1000, show_default=True, help="Questions to sample; FULL=1 takes all.")
def main(data: Path, questions: int) -> None:
    """Read the questions of new_wiki in their own paragraph, an answer forced; then time the reading."""
    settings = Settings.from_environment()
    reader = load_reader(settings)
    embedder = load_embedder(settings.embedder, cache=settings.model_cache_dir)
    try:
        corpus = load_squad(data / MEASURED)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from None
    result: dict[str, Any] = {"reader": reader.identity}
    result |= gold_paragraph(reader, embedder, corpus, sample(corpus.questions, questions))
    result |= speed(reader, corpus)
    result |= ask_overhead(settings, [case.question for case in select(read_cases(SEEDS_SET), "dev")])
    publish("bench-reader", result)


def gold_paragraph(
    reader: SpanReader, embedder: Embedder, corpus: Corpus, questions: Sequence[Question]
) -> dict[str, Any]:
    """Return exact match and F1, best of all references, with an answer forced from the passages of the paragraph."""
    exact, overlap = [], []
    for question in track(questions, "Reading", console=err):
        hits = paragraph_hits(corpus, question, embedder)
        reading = reader.judge(hits, reader.read_passages(question.text, hits))
        text = ""
        if reading.spans:
            best = reading.spans[0]
            text = hits[best.hit].found.passage.words(best.start, best.end)
        exact.append(exact_match(text, question.accepted))
        overlap.append(f1(text, question.accepted))
    return {"questions": len(questions), "exact match": with_interval(exact), "F1": with_interval(overlap)}


def paragraph_hits(corpus: Corpus, question: Question, embedder: Embedder) -> list[Hit]:
    """Return the passages that the service cuts a question's paragraph into, as if all were found first."""
    paragraph = corpus.paragraphs[question.paragraph]
    document = make_document(paragraph.text, source=paragraph.source, title=paragraph.title)
    passages = split_passages(
        document.text, markdown=False, count_tokens=embedder.count_tokens, settings=PassageSettings()
    )
    found = (
        StoredPassage(each, document.id, document.title, document.source, document.content_sha256) for each in passages
    )
    return [Hit(1, 1.0, each) for each in found]


def speed(reader: SpanReader, corpus: Corpus) -> dict[str, Any]:
    """Time the reading of five passages of 200 words against the same network in PyTorch in single precision.

    Both compute the same tokens, a few times in a row and then the other, once its threads are at rest; medians in
    milliseconds, and their ratio.
    """
    words = " ".join(each.text for each in corpus.paragraphs[:20]).split()
    texts = [" ".join(words[start : start + _WORDS]) for start in range(0, _PASSAGES * _WORDS, _WORDS)]
    hits = [_hit(text) for text in texts]
    question = corpus.questions[0].text
    reference = _torch_reference(reader, question, hits)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(_ROUNDS):
        for times, work in ((ours, lambda: reader.read_passages(question, hits)), (theirs, reference)):
            time.sleep(_SPINNING_S)
            work()  # warms up
            times.extend(_milliseconds(work) for _ in range(_IN_A_ROW))
    return {
        "passages": _PASSAGES,
        "words a passage": _WORDS,
        "read_ms": round(median(ours), 1),
        "torch_fp32_ms": round(median(theirs), 1),
        "torch_to_read": round(median(theirs) / median(ours), 2),
    }


def _hit(text: str) -> Hit:
    document = make_document(text)
    sentences = tuple(starmap(Sentence, split_sentences(text, 0, len(text))))
    passage = Passage(0, 0, len(text), text, None, sentences)
    return Hit(1, 1.0, StoredPassage(passage, document.id, "", document.source, document.content_sha256))


def _torch_reference(reader: SpanReader, question: str, hits: Sequence[Hit]) -> Callable[[], object]:
    """Return a function that computes the encoder on the tokens of these passages in PyTorch."""
    import torch
    from transformers import BertConfig, BertModel

    from eval.weights import published_weights

    weights = published_weights(reader.artifact)
    encoder = {
        name.removeprefix("encoder."): torch.tensor(each)
        for name, each in weights.items()
        if name.startswith("encoder.")
    }
    layers = 1 + max(int(name.split(".")[2]) for name in encoder if name.startswith("encoder.layer."))
    size = encoder["pooler.dense.bias"].shape[0]
    config = BertConfig(
        vocab_size=len(encoder["embeddings.word_embeddings.weight"]),
        hidden_size=size,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=4 * size,
        attn_implementation="sdpa",
    )
    model = BertModel(config).eval()
    model.load_state_dict(encoder)
    features = reader.features(question, hits)
    longest = max(len(each.ids) for each in features)
    ids, mask, types = (torch.zeros(len(features), longest, dtype=torch.int64) for _ in range(3))
    for row, each in enumerate(features):
        ids[row, : len(each.ids)] = torch.tensor(each.ids)
        mask[row, : len(each.ids)] = 1
        types[row, : len(each.ids)] = torch.tensor(each.type_ids())

    def compute() -> object:
        with torch.no_grad():
            return model(input_ids=ids, attention_mask=mask, token_type_ids=types)

    return compute


def ask_overhead(settings: Settings, questions: Sequence[str]) -> dict[str, Any]:
    """Time `/v1/ask` over HTTP against the bare reading of the same passages in this process, in turn."""
    whole, bare = [], []
    with open_engine(settings, read_only=True) as engine, server(settings.data_dir) as (base_url, _):
        collection = engine.library.collection(DEFAULT_COLLECTION)
        reader = engine.answerer.reader
        with httpx2.Client(base_url=base_url, timeout=60) as client:
            for question in [*questions[:3], *questions]:
                hits = collection.retrieve(question, top_k=settings.read_depth).hits
                whole.append(_milliseconds(partial(_ask, client, question)))
                bare.append(_milliseconds(partial(reader.read, question, hits)))
    # The first ones warm up.
    pairs = list(zip(whole, bare, strict=True))[3:]
    return {
        "ask_ms": round(median(each for each, _ in pairs), 1),
        "bare_read_ms": round(median(each for _, each in pairs), 1),
        "ask_minus_read_ms": round(median(first - second for first, second in pairs), 1),
    }


def _ask(client: httpx2.Client, question: str) -> None:
    client.post("/v1/ask", json={"question": question}).raise_for_status()


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


if __name__ == "__main__":
    main()
