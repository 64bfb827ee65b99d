"""A folder of tiny data sets, in the forms of the public ones: enough to train on for a moment."""

import json
from pathlib import Path

_FACTS = [
    ("Ada Lovelace", "wrote the first program in 1843", "Who wrote the first program?", "Ada Lovelace", "1843"),
    ("Bob Miller", "paid 42 euros for the lamp in 1951", "Who paid for the lamp?", "Bob Miller", "1951"),
    ("Carol Stone", "climbed the northern tower in 1977", "Who climbed the northern tower?", "Carol Stone", "1977"),
]


def squad(path: Path, titles: list[str], *, impossible: bool = False) -> None:
    """Write articles with two paragraphs each, and questions that the paragraphs answer (and some that they do not)."""
    articles = []
    for number, title in enumerate(titles):
        paragraphs = []
        for part in range(2):
            name, deed, question, answer, year = _FACTS[(number + part) % len(_FACTS)]
            context = f"In {title.replace('_', ' ')} {name} {deed}. Nobody else of the village had done so before."
            asked = [
                (question, answer),
                (f"In what year did {name} of {title.replace('_', ' ')} do so?", year),
            ]
            questions = [
                {
                    "id": f"{path.stem}-{title}-{part}-{place}",
                    "question": text,
                    "answers": [{"text": gold, "answer_start": context.index(gold)}] * 2,
                    "is_impossible": False,
                }
                for place, (text, gold) in enumerate(asked)
            ]
            if impossible:
                questions.append(
                    {
                        "id": f"{path.stem}-{title}-{part}-x",
                        "question": "Who slept?",
                        "answers": [],
                        "is_impossible": True,
                    }
                )
            paragraphs.append({"context": context, "qas": questions})
        articles.append({"title": title, "paragraphs": paragraphs})
    path.write_text(json.dumps({"version": "tiny", "data": articles}))


def tiny_data(folder: Path) -> Path:
    """Write all files that training and benchmarks read, and return their folder."""
    titles = [f"Place_{number}" for number in range(8)]
    squad(folder / "squad_dev_v1.1.json", titles)
    squad(folder / "squad_dev_v2.0.json", titles, impossible=True)
    squad(folder / "reddit.json", ["Filtered_Comments"])
    squad(folder / "amazon_reviews.json", ["Reviews_1", "Reviews_2"])
    squad(folder / "new_wiki.json", ["New_Town", "Old_Town"])
    (folder / "qamr").mkdir()
    for name in ("dev", "test"):
        (folder / "qamr" / f"{name}.tsv").write_text(
            f"#tiny:{name}:1\nAda sold three lamps in Rome.\n"
            "Who sold something?      Ada\tAda\n"
            "What was sold?           three lamps\tlamps\n"
            "Where was it sold?       Rome\tParis\n"
            "What is sold?            sold lamps\tlamps\n\n"
        )
    return folder
