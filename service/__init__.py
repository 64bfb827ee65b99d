"""Question to hits to spans to answer to HTTP: what turns an index into a service."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("citespan")
except PackageNotFoundError:  # run from a source tree that was never installed
    VERSION = "0+unknown"

# The variable that holds a client's key for a service. The service itself refuses to start with it: whoever sets it
# there has most likely forgotten the last letter of CITESPAN_API_KEYS, and would believe the service guarded.
KEY_VARIABLE = "CITESPAN_API_KEY"
