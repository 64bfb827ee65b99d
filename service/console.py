"""The console: where commands print, and how they end."""

import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from index.errors import CitespanError

# Exit codes: all is well; something was found that should not be; it could not be done.
OK, FAULTY, FAILED = 0, 1, 2
_INTERRUPTED = 130

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def command(function: Callable[..., int]) -> Callable[..., None]:
    """Let a command end with its exit code, and tell errors in one line without a traceback.

    A fault of the program itself shows its traceback and ends with the code of what could not be done: with Python's
    own, 1, a crash would pass for something found, such as a regression.
    """

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            sys.exit(function(*args, **kwargs))
        except CitespanError as error:
            err.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
            sys.exit(FAILED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            sys.exit(_INTERRUPTED)
        except Exception:  # noqa: BLE001 (said above)
            traceback.print_exc()
            sys.exit(FAILED)

    return run


def warn(message: str) -> None:
    """Print a warning."""
    err.print(Text.assemble(("warning: ", "bold yellow"), message), soft_wrap=True)
