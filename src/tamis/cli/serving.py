"""`tamis serve`: open the page."""

from __future__ import annotations

from typing import Annotated

import typer

from tamis.cli.options import IndexOption, Lightly, Quiet, Source, open_sources_for
from tamis.cli.terminal import print_note, stdout

Host = Annotated[
    str, typer.Option(metavar="NAME", help="Address to listen on. Others than this machine's own need a token.")
]
Port = Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port to listen on; 0 is any free one.")]


def serve_command(
    src: Source,
    host: Host = "127.0.0.1",
    port: Port = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What browsers have to show, 16 characters or more.  [default: none on loopback, else a new one]",
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Further name that the page is reached by, as behind a proxy. Repeatable."
        ),
    ] = None,
    follow_links: Annotated[
        bool,
        typer.Option("--follow-links", help="Also show files that lie elsewhere, by links of the datasource."),
    ] = False,
    lightly: Lightly = None,
    index: IndexOption = None,
    quiet: Quiet = False,
) -> None:
    """Open the page: see predictions, find what is wrong, choose what to label, export.

    It answers on this machine only and asks nothing of any other. Where there is no index yet, the page offers to
    scan. Ctrl-C ends it; selections that are running go on.

    Examples:
    - `tamis serve data/`
    - `tamis serve s3://bucket/images --port 0`
    - `tamis serve data/ --host 0.0.0.0` prints an address with a token
    """
    from tamis.api.browsing.project import ServeOptions
    from tamis.web.server import ServerOptions, serve

    sources = open_sources_for(src, lightly, index, quiet=quiet)
    options = ServerOptions(host=host, port=port, token=token, names=tuple(name or ()))

    def listening(address: str) -> None:
        stdout().print(address, soft_wrap=True)
        print_note("the page is at this address until Ctrl-C", quiet=quiet)

    serve(sources, options, ServeOptions(follow_links=follow_links), listening=listening)
