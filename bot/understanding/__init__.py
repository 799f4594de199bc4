"""From what a person typed to the entries it may mean, and how sure that is.

``text.py`` brings it to one form, ``features.py`` cuts it, ``asking.py`` finds the ask in a story, ``index.py`` and
``ranking.py`` find and order candidates, ``opinion.py`` says which service it reads like, ``certainty.py`` how sure all that
is, ``sounds.py`` hears mistyped words again; ``matching.py`` holds the string. Beside them ``emergency.py``, ``smalltalk.py``
and ``places.py`` recognise danger, talk and counties (``learning.py`` and ``reader.py`` are what the first two learn with),
``aspects.py`` what is asked *about* a service, ``explaining.py`` tells staff why, ``caches.py`` spares the next start the work.
"""
