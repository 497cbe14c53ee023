"""The command line: parse arguments, call a service, render the result; errors become one line and an exit code."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run `panel` and exit with its exit code."""
    from panel.cli.signals import INTERRUPTED, ignore_signals

    try:
        code = run(sys.argv[1:])
        ignore_signals()
    except KeyboardInterrupt:  # while modules are still being read
        sys.stderr.write("panel: interrupted\n")
        code = INTERRUPTED
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    from panel.cli.app import app
    from panel.cli.console import complain, forgiving_streams
    from panel.cli.signals import INTERRUPTED, ReaderLeft, SignalReceived

    forgiving_streams()
    try:
        code = app(arguments, standalone_mode=False, prog_name="panel")
        sys.stdout.flush()
    except SignalReceived as stop:
        complain(str(stop))
        return stop.exit_code
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except (ReaderLeft, SystemExit):
        # typer raises SystemExit when the reader of its output has left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ReaderLeft.exit_code
    except Exception as error:  # noqa: BLE001 - every error has its line and its exit code
        return _explained(error)
    if code == INTERRUPTED:
        complain("interrupted")  # typer returns the code without a message
    return code if isinstance(code, int) else 0


def _explained(error: Exception) -> int:
    """Print an error and return its exit code."""
    import traceback

    from typer import TyperException

    from panel.cli.console import complain
    from panel.errors import PanelError, StorageError

    if isinstance(error, PanelError):
        complain(str(error))
        return error.exit_code
    if isinstance(error, TyperException):
        show = getattr(error, "show", None)
        complain(error.format_message()) if show is None else show()
        return error.exit_code
    if isinstance(error, OSError):
        complain(f"{error.filename or 'the system'}: {error.strerror or error}")
        return StorageError.exit_code
    traceback.print_exception(error)
    complain("this is a bug in panel; please report it with the lines above")
    return 1
