"""Jobs of the local workspace: their endpoints, the life of runs and tasks, what answers show of both."""
