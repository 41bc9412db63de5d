"""Benchmarks: this service beside its floors and a peer, in one run, as ratios (`make bench`)."""
