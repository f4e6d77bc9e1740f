"""The parts of the soak: the service that it runs against, what its tasks do, and the ledger of both sides."""
