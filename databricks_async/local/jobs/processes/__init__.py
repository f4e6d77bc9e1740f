"""Tasks that run for real: a Python process each, where a local workspace is asked to (`run_tasks`).

preparation    from a task to what its process needs: files, arguments, variables
pool           the processes: started, watched, killed
runner         what runs within the process: the script, notebook or wheel, and its `dbutils`
"""
