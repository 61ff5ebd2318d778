"""Files: taken in and given out, whole streams of bytes that no contract describes."""
