"""`python -m databricks_async`: the command line."""

import sys

from databricks_async.cli import main

if __name__ == "__main__":
    sys.exit(main())
