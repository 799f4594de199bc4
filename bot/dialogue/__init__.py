"""What to say next, purely: ``deciding.py`` chooses, ``saying.py`` words it, ``followups.py`` knows the short answers."""
