"""From what a person typed to the entries it may mean, and how sure that is.

``text.py`` brings it to one form, ``features.py`` cuts it, ``index.py`` and ``ranking.py`` find and order candidates,
``certainty.py`` says how sure, ``sounds.py`` hears mistyped words again; ``matching.py`` holds the string. Beside them
``emergency.py`` and ``places.py`` recognise danger and counties, ``aspects.py`` what is asked *about* a service.
"""
