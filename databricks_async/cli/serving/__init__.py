"""`serve` at work: the workspace as it was asked for, in this process or in one behind it."""
