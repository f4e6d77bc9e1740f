"""The Clusters API."""
