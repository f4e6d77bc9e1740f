"""The page: clusters, runs and events of a workspace, live in a browser, read through the client."""
