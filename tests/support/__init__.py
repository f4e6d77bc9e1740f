"""What several test modules import: a loop in virtual time, the command line of a strict child process, workspaces."""
