"""Polls shared by all who wait: the reader of a kind of things, the callers that follow them, and when it polls."""
