"""What the client costs, beside its peers: `python -m benchmarks` runs all of it, each file runs by itself, too."""
