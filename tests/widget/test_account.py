"""What the header says of whoever is signed in: of the token that is there, and of none that is not."""

from __future__ import annotations

from odd_server import OddServer, bearer

from explorer.oauth import client_credentials, refresh_token
from explorer.widget.account import account_of


def test_the_scopes_of_a_token_that_is_not_there_are_not_told() -> None:
    server = OddServer()
    source = client_credentials(server.issuer, client_id="c", client_secret="s", scope="read")
    assert (account_of(source)["scope"], account_of(source)["missing"]) == (None, [])
    source.token()
    assert (account_of(source)["scope"], account_of(source)["missing"]) == (["read"], [])
    source.sign_out()
    assert (account_of(source)["scope"], account_of(source)["missing"]) == (None, [])
    server.close()


def test_what_came_of_a_scope_is_not_called_missing_and_what_did_not_is() -> None:
    server = OddServer()
    server.answer("/token", bearer(scope="read", refresh_token="r"))
    source = refresh_token(server.issuer, client_id="c", refresh_token="r", scope="read write offline_access")
    source.token()
    assert (account_of(source)["scope"], account_of(source)["missing"]) == (["read"], ["write"])
    source.sign_out()
    server.close()
