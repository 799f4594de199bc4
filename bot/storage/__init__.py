"""What is kept, and what happens when it cannot be: ``store.py`` writes turns, ``memory.py`` is what ``answer`` sees of it,
``spool.py`` keeps what the store could not take, ``housekeeping.py`` and ``privacy.py`` forget what need not stay."""
