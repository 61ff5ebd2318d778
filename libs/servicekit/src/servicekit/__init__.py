"""The chassis that every Peyvand service stands on. It names no business noun."""
