"""Question to hits to spans to answer to HTTP: what turns an index into a service."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("citespan")
except PackageNotFoundError:  # run from a source tree that was never installed
    VERSION = "0+unknown"
