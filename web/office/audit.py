"""The audit trail as a list, the same for the manager and the administrator."""

from aiohttp import web

from web.office.filters import audit_query
from web.office.page import BackOffice, ManagerDeps
from web.office.words import ACTIONS, action_words, purpose_words

PAGE_SIZE = 50


class AuditPage(BackOffice):
    def __init__(self, deps: ManagerDeps, path: str, *, admin_pages: bool = False) -> None:
        super().__init__(deps, admin_pages=admin_pages)
        self._path = path

    async def show(self, request: web.Request) -> web.Response:
        """Newest first; older entries by the number of the last one shown, so that new ones move nothing."""
        query, wanted = audit_query(request.query, self.hall)
        entries = await self.store.audit.page(wanted, query.before, PAGE_SIZE + 1)
        shown, more = entries[:PAGE_SIZE], len(entries) > PAGE_SIZE
        return self.page(
            request,
            "manager/audit.html",
            "audit",
            path=self._path,
            query=query,
            entries=shown,
            older=query.address(self._path, before=shown[-1].seq) if more else None,
            newest=query.before is None,
            names=await self.names(),
            people=await self.store.accounts.list_accounts(),
            actions=ACTIONS,
            action_words=action_words,
            purpose_words=purpose_words,
        )
