"""Workers: Celery carries hints, the runner drives nodes, the reaper finds what was lost."""
