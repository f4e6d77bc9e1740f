"""The Jobs API: `w.jobs`, and its models."""
