"""`python -m databricks_async.cli`."""

import sys

from databricks_async.cli import main

sys.exit(main())
