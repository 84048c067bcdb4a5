"""The wing that speaks HTTP to an authorization server: discovery, grants, refresh, revocation.

Every way of signing in ends in an :class:`OAuthTokenSource`, which is a :class:`~explorer.tokens.TokenSource`.
"""

from __future__ import annotations

from explorer.oauth.authorization_code import AuthorizationCodeFlow
from explorer.oauth.device import DeviceFlow
from explorer.oauth.file_store import FileStore
from explorer.oauth.grants import client_credentials, refresh_token
from explorer.oauth.id_token_source import IdTokenSource
from explorer.oauth.interactive import sign_in
from explorer.oauth.keyring_store import KeyringStore
from explorer.oauth.metadata import AuthorizationServer, authorization_server
from explorer.oauth.private_key import PrivateKey
from explorer.oauth.sign_in_state import SignInState
from explorer.oauth.source import OAuthTokenSource
from explorer.oauth.storage import MemoryStore, RefreshTokenStore
from explorer.oauth.surroundings import page_for_browser
from explorer.outside_tokens import CallableTokenSource, CommandTokenSource
from explorer.tokens import StaticTokenSource

__all__ = [
    "AuthorizationCodeFlow",
    "AuthorizationServer",
    "CallableTokenSource",
    "CommandTokenSource",
    "DeviceFlow",
    "FileStore",
    "IdTokenSource",
    "KeyringStore",
    "MemoryStore",
    "OAuthTokenSource",
    "PrivateKey",
    "RefreshTokenStore",
    "SignInState",
    "StaticTokenSource",
    "authorization_server",
    "client_credentials",
    "page_for_browser",
    "refresh_token",
    "sign_in",
]
