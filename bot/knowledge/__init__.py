"""Reads the Markdown knowledge base and says, path and line, everything that is wrong with it."""

from bot.knowledge.folder import inspect, load
from bot.knowledge.problems import KnowledgeError, Problem

__all__ = ["KnowledgeError", "Problem", "inspect", "load"]
