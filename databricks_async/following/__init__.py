"""Streams of what happens: each event once and in order, over errors and restarts."""
