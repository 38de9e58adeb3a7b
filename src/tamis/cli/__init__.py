"""The command line: parse, one call of `tamis.api`, render. Data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys

_INTERRUPTED = 130  # what shells expect after Ctrl-C


def main() -> None:
    """Run the command line; faults end in one message and the exit code of the error."""
    try:
        from tamis.cli.app import app  # noqa: PLC0415 (after the interpreter is up, for Ctrl-C to be quiet)
        from tamis.cli.terminal import print_error, print_note  # noqa: PLC0415
        from tamis.errors import TamisError  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)

    try:
        app()
    except TamisError as error:
        print_error(error)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            print_note("stopped; no file is half written, and the last index stands", quiet=False)
        raise
    except BrokenPipeError:
        # The reader (`head`, a pager) has seen enough: nothing is left to say, and flushing must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
