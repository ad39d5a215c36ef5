"""Steps that tests and proofs take through the pages as a person would, without scripts; and which browser to drive."""

import re
import shutil

import httpx2

from app.modules.tenancy.contracts import DEMO_PASSWORD as PASSWORD

__all__ = ["PASSWORD", "chromium", "sign_in", "token_of"]


def token_of(page: httpx2.Response) -> str:
    """The form token on a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, f"no form on {page.url} ({page.status_code})"
    return found[1]


def sign_in(
    client: httpx2.Client, area: str, email: str, password: str = PASSWORD, *, next_url: str = ""
) -> httpx2.Response:
    """Fill in and send the sign-in form of an area."""
    form = client.get(f"/{area}/sign-in")
    data = {"csrf_token": token_of(form), "email": email, "password": password, "next_url": next_url}
    return client.post(f"/{area}/sign-in", data=data)


def chromium() -> str | None:
    """The program of Debian's Chromium: the one without a window, else the whole (four times the work for a page)."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")
