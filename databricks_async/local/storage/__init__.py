"""A workspace that stays: its clusters, jobs, runs and objects in an SQLite file, written as they change.

kept        the file of a workspace, open from its start to its end
store       opens the file, and makes the workspace of it again
writer      what differs between a workspace and its file
documents   clusters, jobs, runs, objects and what is scheduled as JSON, and from it
watched     dictionaries that notice what is looked up in them
file        the file itself: its tables, version and modes, and who may write it
"""
