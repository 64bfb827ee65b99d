"""The pytest plugin: `pytest --citespan-set FILE --citespan-url URL` puts questions to a service, one test a question.

It is loaded by every pytest that runs where Citespan is installed, so it imports nothing until it is asked for.
"""

from pathlib import Path

import pytest

_GROUP = "citespan, answers of documents"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; they do nothing unless `--citespan-set` is given."""
    group = parser.getgroup("citespan", _GROUP)
    group.addoption("--citespan-set", type=Path, metavar="FILE", help="Questions with their answers; a test for each.")
    group.addoption("--citespan-url", metavar="URL", help="The service to ask, such as http://127.0.0.1:8000.")
    group.addoption("--citespan-key", metavar="KEY", help="The key for the service. Default: CITESPAN_API_KEY.")
    group.addoption("--citespan-collection", metavar="NAME", default="default", help="The collection to ask.")
    group.addoption(
        "--citespan-baseline",
        type=Path,
        metavar="FILE",
        help="What was accepted before: questions that were not answered rightly then are expected to fail.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the set: alone, unless other paths are named on the command line."""
    path: Path | None = config.getoption("--citespan-set")
    if path is None:
        return
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args.clear()
    # A question of the set may be named alone: `FILE::ID: QUESTION`.
    if not any(Path(each.partition("::")[0]).absolute() == path.absolute() for each in config.args):
        config.args.append(str(path.absolute()))

    from eval import pytest_questions

    config.pluginmanager.register(pytest_questions.Questions(config), "citespan-questions")
