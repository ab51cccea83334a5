"""The fixtures of every page test."""

from tests.web.pages import browser, site

__all__ = ["browser", "site"]
