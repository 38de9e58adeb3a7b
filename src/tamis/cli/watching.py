"""`scan --watch`: a line for each change, until Ctrl-C."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from tamis.cli.terminal import OutputFormat, print_error, print_note, progress_bar, write_json

if TYPE_CHECKING:
    from types import FrameType

    from tamis.api.options import ScanOptions
    from tamis.api.scanning.watch import Round
    from tamis.api.sources import Sources


def watch_and_tell(
    sources: Sources, options: ScanOptions, *, interval_secs: float, output: OutputFormat, quiet: bool
) -> int:
    """Watch until Ctrl-C or SIGTERM, either of which is how it ends well; return the exit code."""
    from tamis.api.scanning.watch import watch  # noqa: PLC0415 (imports when a command runs)

    before = signal.signal(signal.SIGTERM, _interrupt)  # what supervisors and containers send
    exit_code = 0
    try:
        print_note(f"watching, every {interval_secs:g} s; Ctrl-C ends it", quiet=quiet)
        with progress_bar(quiet=quiet) as listen:
            for looked in watch(sources, options, interval_secs=interval_secs, listen=listen):
                if looked.error is not None:
                    print_error(looked.error)
                elif looked.has_changed:
                    exit_code = _tell(sources, looked, output)
    except KeyboardInterrupt:
        print_note("stopped; the last index stands", quiet=quiet)
    finally:
        signal.signal(signal.SIGTERM, before)
    return exit_code


def _tell(sources: Sources, looked: Round, output: OutputFormat) -> int:
    import msgspec  # noqa: PLC0415 (likewise)

    from tamis.api.check import report_problems  # noqa: PLC0415
    from tamis.cli.render import print_round  # noqa: PLC0415
    from tamis.cli.terminal import stdout  # noqa: PLC0415

    result = looked.result
    if result is None:
        return 0
    report = report_problems(sources, result.snapshot)
    if output is OutputFormat.JSON:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "snapshot": result.snapshot.id,
            "read": result.n_read,
            "removed": result.n_removed,
            "samples": report.samples,
            "errors": report.errors,
            "warnings": report.warnings,
        }
        write_json(msgspec.json.encode(line))
    else:
        print_round(stdout(), time.strftime("%H:%M:%S"), result, report)
    return 1 if report.errors else 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
