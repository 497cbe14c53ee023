"""The command line: reads settings, puts the parts together, and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback


def main() -> None:
    """Run `panel` and leave with an exit code of the contract."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    from panel.cli.app import app
    from panel.cli.console import complain, forgiving_streams
    from panel.cli.exits import ReaderLeft, SignalReceived
    from panel.errors import PanelError

    forgiving_streams()
    try:
        code = app(arguments, standalone_mode=False, prog_name="panel")
        sys.stdout.flush()
    except PanelError as error:
        complain(str(error))
        return error.exit_code
    except SignalReceived as stop:
        complain(str(stop))
        return stop.exit_code
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except ReaderLeft:
        return _reader_left()
    except Exception as error:  # noqa: BLE001 - the last resort
        return _usage_or_bug(error)
    return code if isinstance(code, int) else 0


def _usage_or_bug(error: Exception) -> int:
    from typer import TyperException

    from panel.cli.console import complain

    if isinstance(error, TyperException):
        show = getattr(error, "show", None)
        if show is None:
            complain(error.format_message())
        else:
            show()
        return error.exit_code
    traceback.print_exception(error)
    complain("this is a bug in panel; please report it with the lines above")
    return 1


def _reader_left() -> int:
    """Leave quietly; 141 is what a shell reports for a program that wrote to a closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
