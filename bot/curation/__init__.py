"""How office staff keep the knowledge right: ``live.py`` puts edits to work, ``guard.py`` refuses the harmful ones,
``workshop.py`` is the editor's desk, ``reporting.py`` tells what riders could not find."""
