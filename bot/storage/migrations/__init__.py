"""The database's versions; see ``versions/``, one file a step, oldest first."""
