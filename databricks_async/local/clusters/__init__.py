"""Clusters of the local workspace: their endpoints, their life, their events, what they are made of."""
