"""The report of a selection: arrays -> numbers (`Report`) -> `report.html` and `report.json`."""
