"""Pages for those who come from something else."""
