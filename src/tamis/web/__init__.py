"""The page: routes that parse, call `tamis.api` once and render; the front end lies in `static`."""
