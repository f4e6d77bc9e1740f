"""A nightly backup of a workspace into git.

Exports a tree into a checkout, removes what is gone from the workspace, and commits when
something has changed. What has not changed since the last night is not read again.

Run it with `python backup.py /Users checkout` from cron, in a clone with an author (`git
config user.name`) and, if you like, a remote: `git -C checkout push` behind it.

When things go wrong:

- An object cannot be exported (no permission, or deleted meanwhile): everything else is
  committed, nothing is removed that night, and the exit code is 1 with the reasons.
- The connection is lost for good, or the disk is full: an error, and no commit. No file is
  half written.
- git fails: an error with its message. The next night commits both.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

from databricks_async import WorkspaceClient
from databricks_async.workspace import TreeReport


def git(checkout: Path, *arguments: str) -> str:
    """Raises `CalledProcessError`, with git's own message in a note."""
    try:
        done = subprocess.run(
            ["git", "-C", checkout, *arguments], check=True, capture_output=True, text=True
        )
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr)
        raise
    return done.stdout


def remove_others(report: TreeReport, tree: Path) -> None:
    """Files of objects that the workspace does not have any more."""
    there = {item.target for item in report.done} | {skip.target for skip in report.skipped}
    for file in tree.rglob("*"):
        if file.is_file() and str(file) not in there:
            file.unlink()


def commit(checkout: Path, message: str) -> bool:
    """Whether there was anything to commit."""
    git(checkout, "add", "--all")
    if not git(checkout, "status", "--porcelain"):
        return False
    git(checkout, "commit", "--quiet", "--message", message)
    return True


async def backup(path: str, checkout: Path) -> tuple[TreeReport, bool]:
    tree = checkout / "workspace"  # so that .git and README of the checkout stay out of it
    async with WorkspaceClient() as w:
        report = await w.workspace.export_tree(path, tree, skip_unchanged=True, overwrite=True)
    if report.ok:  # else a folder that could not be listed would look empty
        remove_others(report, tree)
    summary = f"Back up {path}: {len(report.done)} exported, {len(report.skipped)} skipped"
    return report, commit(checkout, summary)


if __name__ == "__main__":
    report, changed = asyncio.run(backup(sys.argv[1], Path(sys.argv[2])))
    print("committed" if changed else "nothing has changed")
    for failure in report.failures:
        print(failure.path, failure.error, file=sys.stderr)
    sys.exit(not report.ok)
