#!/usr/bin/env bash
# Makes the environment of Airflow's Databricks hook, which needs versions of its own: `python -m benchmarks` then
# measures it beside the others. Some 500 MB, and a few minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv-airflow
.venv-airflow/bin/pip install --quiet --prefer-binary apache-airflow-providers-databricks
.venv-airflow/bin/pip list 2>/dev/null | grep -E '^(apache-airflow|aiohttp) |databricks'
