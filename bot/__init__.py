"""The Yunfu riders' rights bot. The road of one message, and where each stretch of it lives:

1. ``channels/`` (``wechat``, ``web``) verifies and parses what came in, into a ``model.Message``.
2. ``answer.py`` is the one door. It *gathers*: ``storage/`` says whether the message was answered before and where the
   conversation stands; ``understanding/`` says what the words may mean.
3. ``dialogue/`` *decides*, purely, what to say next: a ``model.Turn``. ``rendering.py`` puts an entry into words.
4. ``answer.py`` *applies*: ``storage/`` keeps the turn, in one transaction.
5. The channel renders the ``model.Reply`` in its own medium.

What the bot knows is the Markdown of the folder ``knowledge/``, read and checked by ``knowledge/`` here into a
``catalogue.py``; ``curation/`` keeps it right while the bot runs. ``app.py`` puts it all together.
"""
