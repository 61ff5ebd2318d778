"""``/v1/imports``: files of rows, checked as a whole and then applied row by row."""
