"""The authorization server as a running thing: bound, serving, stopped."""

from __future__ import annotations

import logging
import threading
from typing import Any

from joserfc.jwk import ECKey
from waitress import wasyncore
from waitress.server import create_server

from explorer.demo.authorization_server.client_assertion import ALGORITHMS
from explorer.demo.authorization_server.endpoints import Endpoints
from explorer.demo.authorization_server.faults import Faults
from explorer.demo.authorization_server.grants import register
from explorer.demo.authorization_server.interaction import Interaction
from explorer.demo.authorization_server.issuing import SigningKey, TokenIssuer
from explorer.demo.authorization_server.protocol import ProtocolServer
from explorer.demo.authorization_server.sessions import Sessions
from explorer.demo.clock import DemoClock
from explorer.demo.counting import Counts
from explorer.demo.records import Records
from explorer.demo.registrations import CLIENTS

__all__ = ["AuthorizationService"]

_THREADS = 32  # a request that is held or slow keeps its thread


class AuthorizationService:
    """Plain HTTP on 127.0.0.1: a labelled exception for development, since browsers do not know the demo's CA.

    The port is bound when the constructor returns; :meth:`start` begins to answer.
    """

    def __init__(self, *, clock: DemoClock, counts: Counts, port: int = 0) -> None:
        self._clock = clock
        self._counts = counts
        self.records = Records()
        self.faults = Faults(counts)
        self._application: Endpoints | None = None
        self._sockets: dict[int, Any] = {}
        self._http = self._bind(port)
        self.port = int(self._http.effective_port)
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.client_key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHMS[0]}, auto_kid=True)
        self._thread = threading.Thread(target=self._http.run, name="authorization-server", daemon=True)

    def _bind(self, port: int) -> Any:
        try:
            return create_server(
                self._answer,
                map=self._sockets,
                host="127.0.0.1",
                port=port,
                threads=_THREADS,
                ident=None,
                connection_limit=500,
                max_request_body_size=1 << 20,
                clear_untrusted_proxy_headers=True,
            )
        except OSError as error:
            raise OSError(
                f"Port {port} of 127.0.0.1 cannot be had ({error.strerror}); 0 takes any free one."
            ) from error

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        if self._application is None:
            raise RuntimeError("a request came before start()")
        return self._application(environ, start_response)

    def start(
        self, *, audience: str, token_lifetime: float, public_base_url: str | None, device_interval: float
    ) -> None:
        """Begin to answer. ``public_base_url`` may hold ``{port}``."""
        for name in ("authlib", "waitress"):  # authlib logs tokens at DEBUG, waitress what came over the wire
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.tokens = TokenIssuer(
            issuer=self.issuer, key=SigningKey(), clock=self._clock, records=self.records, token_lifetime=token_lifetime
        )
        self.server = ProtocolServer(
            issuer=self.issuer,
            audience=audience,
            tokens=self.tokens,
            clock=self._clock,
            records=self.records,
            counts=self._counts,
        )
        sessions = Sessions(records=self.records, clock=self._clock, port=self.port)
        application = Endpoints(self.server, Interaction(self.server, sessions), self.faults, "")
        register(
            self.server,
            verification_uri=application.verification_uri,
            device_interval=device_interval,
            client_keys=dict.fromkeys((each.client_id for each in CLIENTS.values() if each.signs), self.client_key),
        )
        self._application = application
        self.set_public_base_url(public_base_url)
        self._thread.start()

    def set_public_base_url(self, public_base_url: str | None) -> str:
        """Where people find the pages, None for the issuer itself; what it became."""
        if self._application is None:
            raise RuntimeError("set_public_base_url() came before start()")
        url = (public_base_url or self.issuer).replace("{port}", str(self.port)).rstrip("/")
        self._application.public_base_url = url
        return url

    def stop(self) -> None:
        """Stop answering, and forget everything."""
        self.faults.end()
        if self._thread.is_alive():  # a socket closed under the eyes of the thread that looks at it is an error there
            self._http.trigger.pull_trigger(lambda: wasyncore.close_all(self._sockets))
            self._thread.join(5)
        wasyncore.close_all(self._sockets)
        self._http.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
        self.records.close()
