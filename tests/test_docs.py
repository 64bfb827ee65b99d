"""The documentation says what the code does: settings, routes, problems, commands, targets and links."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import click
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from eval.cli import main as citespan_eval
from eval.regression import Kind
from eval.replies import Reply
from eval.run import Record, Run
from eval.verdicts import Verdict
from service import KEY_VARIABLE, problems
from service.app import create_app
from service.cli import main as citespan
from service.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
API = ROOT / "docs" / "http-api.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CONTAINER_FILES = [ROOT / "Dockerfile", ROOT / "compose.yaml", ROOT / "docker" / "entrypoint.sh"]
MAKEFILE = ROOT / "Makefile"
REGRESSION = ROOT / "docs" / "regression-testing.md"
ANSWERS = ROOT / "docs" / "examples" / "answers.yml"

_MARKDOWN = MarkdownIt("commonmark").enable("table")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _tokens(path: Path) -> Iterator[Token]:
    """Yield the tokens of a Markdown file, those inside lines included."""
    for token in _MARKDOWN.parse(path.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def _code(path: Path) -> list[str]:
    """Return all code of a Markdown file, spans and blocks."""
    return [token.content for token in _tokens(path) if token.type in ("code_inline", "fence", "code_block")]


def _table(path: Path, header: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the rows of the tables with this header, as they are written."""
    rows: list[tuple[str, ...]] = []
    inside = False
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        if cells == header:
            inside = True
        elif not cells:
            inside = False
        elif inside and not set("".join(cells)) <= set("-:"):
            rows.append(cells)
    return rows


def _anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a Markdown file."""
    tokens = list(_tokens(path))
    headings = [inline.content for opening, inline in pairwise(tokens) if opening.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _default(value: object) -> str:
    return "-" if value is None or value == () else f"`{value}`"


def test_configuration_lists_every_setting() -> None:
    expected = [
        (f"`{PREFIX}{name.upper()}`", _default(field.default), field.description)
        for name, field in Settings.model_fields.items()
    ]
    assert _table(CONFIGURATION, ("Variable", "Default", "Meaning")) == expected


@pytest.mark.parametrize("path", [*PAGES, *CONTAINER_FILES], ids=_name)
def test_every_variable_named_is_a_setting(path: Path) -> None:
    settings = {PREFIX + name.upper() for name in Settings.model_fields} | {KEY_VARIABLE}
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
    assert named <= settings


def _problems_in_the_code() -> set[tuple[str, str, str]]:
    """Return (slug, status, title) of every problem: those of `KINDS`, and those made with constants somewhere."""
    found = {(slug, str(status), title) for status, slug, title in problems.KINDS.values()}
    for path in (ROOT / "service").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
                values = [each.value for each in node.args[:3] if isinstance(each, ast.Constant)]
                if len(values) == 3:
                    status, slug, title = values
                    found.add((str(slug), str(status), str(title)))
    return found


def test_api_lists_every_problem() -> None:
    rows = _table(API, ("Slug", "Status", "Title", "When"))
    listed = [(slug.strip("`"), status, title) for slug, status, title, _ in rows]
    assert len(set(listed)) == len(listed)
    assert set(listed) == _problems_in_the_code()


def test_api_describes_every_route() -> None:
    schema = create_app(Settings()).openapi()
    routes = {f"{method.upper()} {path}" for path, methods in schema["paths"].items() for method in methods}
    text = API.read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:GET|POST|PUT|PATCH|DELETE) /[\w/{}.-]*(?::\w+)?", text))
    assert routes <= named
    unlisted = named - routes
    assert unlisted == {"GET /", "GET /docs", "GET /openapi.json", "GET /documents/{document_id}"}


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_links_lead_somewhere(path: Path) -> None:
    for token in _tokens(path):
        if token.type != "link_open":
            continue
        target, _, anchor = str(token.attrs["href"]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), f"{target} is linked and is not there"
        if anchor:
            assert anchor in _anchors(found), f"{_name(found)} has no heading for #{anchor}"


@pytest.mark.parametrize(
    ("name", "group"), [("citespan", citespan), ("citespan-eval", citespan_eval)], ids=["citespan", "citespan-eval"]
)
def test_every_command_named_exists(name: str, group: click.Group) -> None:
    # Not after a dash or slash, and not the word itself: "docker compose exec citespan citespan doctor".
    pattern = re.compile(rf"(?<![\w/.-]){name} (?!citespan\b)([a-z]+)")
    named = {word for path in PAGES for code in _code(path) for word in pattern.findall(code)}
    assert named
    assert named <= group.commands.keys()


def test_every_make_target_named_exists() -> None:
    makefile = MAKEFILE.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))
    variables = set(re.findall(r"^(?:export )?([A-Z_]+)\b", makefile, re.MULTILINE))
    code = "\n".join(each for path in PAGES for each in _code(path))
    named_targets: set[str] = set()
    named_variables: set[str] = set()
    for arguments in re.findall(r"(?<![\w/.-])make((?: (?:[a-z][a-z-]*(?![\w=-])|[A-Z_]+=))+)", code):
        named_targets |= set(re.findall(r" ([a-z-]+)", arguments))
        named_variables |= set(re.findall(r"([A-Z_]+)=", arguments))
    assert {"serve", "test"} <= named_targets <= targets
    assert named_variables <= variables


def _eval_options() -> set[str]:
    """Return every option of `citespan-eval` and of its pytest plugin."""
    commands = [option for command in citespan_eval.commands.values() for option in command.params]
    names = {name for option in commands for name in (*option.opts, *option.secondary_opts) if name.startswith("--")}
    plugin = (ROOT / "eval" / "pytest_plugin.py").read_text(encoding="utf-8")
    return names | set(re.findall(r'addoption\(\s*"(--[a-z-]+)"', plugin))


def test_every_option_named_for_regression_testing_exists() -> None:
    named = {
        name for code in [*_code(REGRESSION), ANSWERS.read_text()] for name in re.findall(r"(?<!\S)--[a-z][\w-]*", code)
    }
    of_others = {"--extra-index-url", "--body-file"}
    assert named - of_others <= _eval_options()
    assert {name for name in _eval_options() if name.startswith("--citespan")} <= named


def test_verdicts_and_kinds_are_all_described() -> None:
    assert {row[0] for row in _table(REGRESSION, ("Verdict", "When"))} == set(Verdict)
    assert {row[0] for row in _table(REGRESSION, ("Kind", "What it is"))} == set(Kind)


def test_files_of_runs_are_described_field_by_field() -> None:
    described = {word for row in _table(REGRESSION, ("Field", "Holds")) for word in re.findall(r"`([\w.]+)`", row[0])}
    of_run = {field.name for field in fields(Run)} - {"records"} | {"format", "records"}
    of_record = {field.name for field in fields(Record)}
    of_reply = {f"reply.{field.name}" for field in fields(Reply)} - {"reply.fingerprint"}
    assert of_run | of_record | of_reply == described


def test_workflow_runs_commands_that_exist() -> None:
    workflow = yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))
    steps = [step["run"] for step in workflow["jobs"]["answers"]["steps"] if "run" in step]
    commands = [shlex.split(step) for step in steps if "citespan-eval" in step]
    assert [command[1] for command in commands] == ["lint", "run", "check"]
    for _, name, *arguments in commands:
        command = citespan_eval.commands[name]
        command.make_parser(click.Context(command)).parse_args(list(arguments))


def test_versions_agree() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f'image.version="{version}"' in CONTAINER_FILES[0].read_text(encoding="utf-8")
    assert version in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
