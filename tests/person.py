"""Plays the person at the demo's pages, over HTTP, as a browser would: forms, cookies, relative addresses.

Nothing here knows what the forms hold: their hidden fields are sent back as they came.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urlsplit

import httpx

__all__ = ["Page", "Person"]

_STEPS = 12  # more than any way through the pages needs


@dataclass
class Form:
    """One form as its page has it."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("style", "script", "title"):
            self._skipped += 1
        elif tag == "form":
            self.forms.append(Form(given.get("method", "get").lower(), given.get("action", "")))
        elif tag == "input" and self.forms:
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((given.get("name", ""), given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "title"):
            self._skipped -= 1

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.words += data.split()


class Page:
    """What the person sees: ``.text`` in words, ``.url``, ``.status``, ``.headers``, ``.html``, ``.forms``."""

    def __init__(self, response: httpx.Response) -> None:
        reader = _Reader()
        reader.feed(response.text)
        self.url = str(response.url)
        self.status = response.status_code
        self.headers = response.headers
        self.html = response.text
        self.forms = reader.forms
        self.text = " ".join(reader.words)

    def __repr__(self) -> str:
        return f"<Page {self.status} {self.text[:200]!r}>"

    def offers(self, action: str) -> bool:
        """Whether a form of this page has this button."""
        return any(("action", action) in form.buttons for form in self.forms)


class Person:
    """Somebody with a browser of their own.

    :param demo: whose pages may be visited: requests go to its issuer and nowhere else. Where a proxy stands before
        it, ``origins`` names what else may be visited.
    """

    def __init__(self, demo: object, *, origins: tuple[str, ...] = ()) -> None:
        self._origins = {_origin(demo.issuer), *map(_origin, origins)}  # type: ignore[attr-defined]  # anything with an issuer will do
        self._browser = httpx.Client(follow_redirects=False, trust_env=False, timeout=120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the browser, cookies and all."""
        self._browser.close()

    def sign_in_at(
        self, url: str, username: str = "ada", password: str | None = None, *, allow: bool = True, follow: bool = False
    ) -> str | Page:
        """Go through the authorization page at ``url``: sign in, then allow or deny.

        The URL of the final redirect, which leads to the client's receiver and is not visited unless ``follow`` is
        set; or the page where it ends, if it does not end in a redirect.
        """
        return self._through(self.get(url), username, password, allow=allow, follow=follow)

    def approve_device(
        self,
        verification_uri: str,
        user_code: str,
        username: str = "ada",
        password: str | None = None,
        *,
        allow: bool = True,
    ) -> Page:
        """Go through the device page: sign in, type the code, allow or deny; the page where it ends."""
        page = self.get(verification_uri)
        if isinstance(page, Page) and page.offers("sign_in"):
            page = self._sign_in(page, username, password)
        if isinstance(page, Page) and page.status == 200 and any("user_code" in form.fields for form in page.forms):
            page = self.submit(page, {"user_code": user_code})
        if isinstance(page, Page) and page.offers("allow") and user_code not in page.text:
            raise AssertionError(f"the page does not show the code {user_code}: {page!r}")
        end = self._through(page, username, password, allow=allow, follow=False)
        if not isinstance(end, Page):
            raise TypeError(f"the device page led away, to {_origin(end)}")
        return end

    def get(self, url: str) -> str | Page:
        """Visit an address; the page, or the URL of a redirect that leads away."""
        return self._arrive(self._browser.get(url))

    def submit(self, page: Page, values: dict[str, str], *, action: str | None = None) -> str | Page:
        """Fill in the page's form and press the button; what comes of it."""
        form = next(form for form in page.forms if action is None or ("action", action) in form.buttons)
        values = form.fields | values | ({"action": action} if action else {})
        target = httpx.URL(page.url).join(form.action) if form.action else httpx.URL(page.url)
        if form.method == "post":
            return self._arrive(self._browser.post(target, data=values))
        return self._arrive(self._browser.get(target.copy_with(query=None), params=values))

    def _arrive(self, response: httpx.Response) -> str | Page:
        for _ in range(_STEPS):
            if not response.has_redirect_location:
                return Page(response)
            target = str(response.url.join(response.headers["Location"]))
            if _origin(target) not in self._origins:
                return target
            response = self._browser.get(target)
        raise AssertionError("the pages redirect for ever")

    def _sign_in(self, page: str | Page, username: str, password: str | None) -> str | Page:
        if not isinstance(page, Page) or not page.offers("sign_in"):
            raise AssertionError(f"expected a sign-in page, got {page!r}")
        secret = username if password is None else password  # in this demo everybody's password is their name
        return self.submit(page, {"username": username, "password": secret}, action="sign_in")

    def _through(
        self, page: str | Page, username: str, password: str | None, *, allow: bool, follow: bool
    ) -> str | Page:
        if isinstance(page, Page) and page.offers("sign_in"):
            page = self._sign_in(page, username, password)
        if isinstance(page, Page) and page.offers("allow"):
            page = self.submit(page, {}, action="allow" if allow else "deny")
        if isinstance(page, str) and follow:
            return Page(httpx.get(page, trust_env=False, timeout=120))
        return page


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
