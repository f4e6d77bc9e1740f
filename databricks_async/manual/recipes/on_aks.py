"""A container on AKS, with workload identity.

A program in a pod that logs in without any secret: the cluster's webhook gives the pod a token
of its service account, and Entra takes that for the application that trusts it.

Once: `az aks update --enable-oidc-issuer --enable-workload-identity`, an application (or a
user-assigned identity) with a federated credential for `system:serviceaccount:jobs:etl`, and
that application in the workspace as a service principal.
Then `docker build`, `docker push`, `kubectl apply -f aks/job.yaml`.

When things go wrong:

- `no credentials: no way to authorize serves`, and `azure-workload-identity` lacks something:
  the webhook did not touch the pod. The label belongs to the pod's template, not to the job.
- `AADSTS700213`: the federated credential names another namespace or service account.
- `PermissionDenied`: the application is not in the workspace, or may not run the job.
- The pod is moved or killed: its run goes on. The next try of the pod has the same token, finds
  the run and waits for its end.
- The run fails: exit code 2, for which `podFailurePolicy` ends the job at once.
"""

import asyncio
import os
import signal
import sys

from databricks_async import RunFailed, WorkspaceClient


async def main() -> int:
    """Run the job, and end with it."""
    async with WorkspaceClient() as w:
        print("as", (await w.current_user.me()).user_name)
        token = os.environ["JOB_NAME"]
        wait = await w.jobs.run_now(int(os.environ["JOB_ID"]), idempotency_token=token)
        print("run", wait.run_id)
        try:
            run = await wait.result()
        except RunFailed as error:
            print(error)
            return 2
        print("done", run.run_page_url)
    return 0


async def until_sigterm() -> int:
    """The first process of a container ends by SIGTERM only if it says how."""
    work = asyncio.create_task(main())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM


if __name__ == "__main__":
    sys.exit(asyncio.run(until_sigterm()))
