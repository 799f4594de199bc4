"""The Yunfu riders' rights bot. The road of one message, and where each stretch of it lives:

1. ``channels/wechat.py`` or ``channels/web.py`` verifies and parses what came in, into a ``model.Message``.
2. ``answer.py`` is the one door. It *gathers*: the store says whether the message was answered before and where the
   conversation stands (``store.py``); the finder says what the words may mean (``text.py`` -> ``index.py`` ->
   ``matching.py``).
3. ``dialogue.py`` *decides*, purely, what to say next: a ``model.Turn``. ``rendering.py`` puts an entry into words.
4. ``answer.py`` *applies*: the store keeps the turn, in one transaction.
5. The channel renders the ``model.Reply`` in its own medium.

What the bot knows is Markdown in ``knowledge/``, read and checked by ``knowledge/`` here. ``app.py`` puts it all together.
"""
