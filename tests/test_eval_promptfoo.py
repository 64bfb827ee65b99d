"""The promptfoo provider, called as promptfoo calls it: a class with `id()` and `callApi(prompt)`."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from conftest import ROOT
from listening import SECRET, listening

EXAMPLE = ROOT / "docs" / "examples" / "promptfoo"
TEXT = "Ada Lovelace wrote the first program in 1843. It computed Bernoulli numbers."

_CALL = """
const [module, config, prompt] = process.argv.slice(1);
const { default: Provider } = await import(module);
const provider = new Provider({ id: "citespan", config: JSON.parse(config) });
console.log(JSON.stringify({ id: provider.id(), response: await provider.callApi(prompt, { vars: {} }) }));
"""

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening(tmp_path_factory.mktemp("data"), {"ada.txt": TEXT}) as address:
        yield address


def call(prompt: str, **config: str) -> Any:
    command = ["node", "--input-type=module", "--eval", _CALL, "--", str(EXAMPLE / "citespan.mjs")]
    result = subprocess.run(
        [*command, json.dumps(config), prompt],
        env=os.environ | {"CITESPAN_API_KEY": SECRET},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout)


@needs_node
def test_answer_is_the_output_and_citations_come_with_it(url: str) -> None:
    found = call("When was the first program written?", url=url + "/")
    assert found["id"] == "citespan:default"
    response = found["response"]
    assert "1843" in response["output"]
    assert response["metadata"]["answerable"] is True
    (citation, *_) = response["metadata"]["citations"]
    assert TEXT[citation["start_char_index"] : citation["end_char_index"]] == citation["cited_text"]


@needs_node
def test_silence_is_an_empty_output(url: str) -> None:
    response = call("Who painted the ceiling of the Sistine Chapel?", url=url)["response"]
    assert response["output"] == ""
    assert response["metadata"]["answerable"] is False


@needs_node
@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"url": "http://127.0.0.1:1"}, "start the service"),
        ({"key": "another"}, "401: "),
        ({"collection": "none"}, "404: There is no collection 'none'"),
    ],
)
def test_what_cannot_be_asked_is_an_error_of_the_provider(config: dict[str, str], complaint: str, url: str) -> None:
    response = call("Who?", **({"url": url} | config))["response"]
    assert complaint in response["error"]
    assert "output" not in response


def test_configuration_names_the_provider() -> None:
    content = yaml.safe_load((EXAMPLE / "promptfooconfig.yaml").read_text())
    (provider,) = content["providers"]
    assert (EXAMPLE / provider["id"].removeprefix("file://")).is_file()
    assert all("question" in test["vars"] for test in content["tests"])
