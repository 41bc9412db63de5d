"""The pure core: values in, values out; no web, files, clock, randomness or logging."""
