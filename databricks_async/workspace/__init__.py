"""The Workspace API: `w.workspace`, its models, and whole trees of objects."""
