"""Settings: read from variables, strict, and never telling a secret."""

from pathlib import Path

import pytest

from index.errors import SettingsError
from service.settings import Settings

SECRET = "s3cret-s3cret-s3cret"


def test_variables_are_read_and_defaults_kept() -> None:
    settings = Settings.from_environment({"CITESPAN_PORT": "9000", "CITESPAN_ALLOWED_HOSTS": "a.example, b.example"})
    assert settings.port == 9000
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.data_dir == Path("data")
    assert settings.base_url == "http://127.0.0.1:9000"


def test_overrides_win_over_variables_unless_they_are_none() -> None:
    settings = Settings.from_environment({"CITESPAN_PORT": "9000"}, port=None, host="localhost")
    assert (settings.port, settings.host) == (9000, "localhost")


def test_empty_variable_means_the_default() -> None:
    assert Settings.from_environment({"CITESPAN_PORT": ""}).port == 8000


def test_unknown_variable_is_an_error_that_suggests_the_known_one() -> None:
    with pytest.raises(SettingsError, match="CITESPAN_PROT is no setting; did you mean CITESPAN_PORT"):
        Settings.from_environment({"CITESPAN_PROT": "1"})


@pytest.mark.parametrize(
    "variables",
    [
        {"CITESPAN_PORT": "many"},
        {"CITESPAN_PORT": "70000"},
        {"CITESPAN_MIN_CONFIDENCE": "2"},
        {"CITESPAN_PUBLIC_URL": "ftp://x"},
        {"CITESPAN_LOG_LEVEL": "loud"},
    ],
)
def test_bad_value_is_an_error_that_names_the_variable(variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(variables))):
        Settings.from_environment(variables)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.0.2.1", "citespan.example", "127.evil.example", "127.0.0.1.nip.io"]
)
def test_reachable_address_is_refused_without_keys(host: str) -> None:
    with pytest.raises(SettingsError, match="CITESPAN_API_KEYS"):
        Settings.from_environment({"CITESPAN_HOST": host})
    assert Settings.from_environment({"CITESPAN_HOST": host, "CITESPAN_ALLOW_ANONYMOUS": "1"}).host == host
    assert Settings.from_environment({"CITESPAN_HOST": host, "CITESPAN_API_KEYS": f"me:{SECRET}"}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_loopback_needs_no_key(host: str) -> None:
    assert Settings.from_environment({"CITESPAN_HOST": host}).is_loopback


@pytest.mark.parametrize(
    "keys",
    [f"me:{SECRET}:default:admin", f":{SECRET}", "me", "me:short", f"a:{SECRET},a:{SECRET}x", f"a:{SECRET},b:{SECRET}"],
)
def test_malformed_keys_are_refused_without_repeating_them(keys: str) -> None:
    with pytest.raises(SettingsError, match="CITESPAN_API_KEYS") as caught:
        Settings.from_environment({"CITESPAN_API_KEYS": keys})
    assert SECRET not in str(caught.value)


def test_keys_are_parsed_and_secrets_are_not_kept() -> None:
    settings = Settings.from_environment({"CITESPAN_API_KEYS": f"ops:{SECRET},web:{SECRET}2:default+news:read"})
    ops, web = settings.api_keys
    assert ops.opens("anything", write=True)
    assert web.opens("news", write=False)
    assert not web.opens("news", write=True)
    assert not web.opens("other", write=False)
    assert SECRET not in repr(settings)
    assert SECRET not in repr(settings.api_keys)


def test_public_url_is_the_base_of_links() -> None:
    assert Settings(public_url="https://docs.example/qa/").base_url == "https://docs.example/qa"
    assert Settings(host="::1", port=80).base_url == "http://[::1]:80"
    assert Settings(host="0.0.0.0", allow_anonymous=True).base_url == "http://localhost:8000"
