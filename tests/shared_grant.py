"""One of two kernels: a program that refreshes a stored grant over and over, or has twenty callers ask for a token.

Reads a line of JSON from standard input, says "ready", waits for the next line, refreshes, and says what came of it.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from explorer.errors import ExplorerError
from explorer.oauth import FileStore, OAuthTokenSource, refresh_token


def source(given: dict[str, Any]) -> OAuthTokenSource:
    store = FileStore(given["directory"]) if given["directory"] else given["store"]
    return refresh_token(
        given["issuer"],
        client_id="seed",
        client_secret="seed-secret",
        refresh_token=given["refresh_token"],
        store=store,
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    given = json.loads(sys.stdin.readline())
    tokens = source(given)
    say("ready")
    sys.stdin.readline()
    served, problem = 0, None
    try:
        for _ in range(given["times"]):
            tokens.refresh()
            served += 1
        with ThreadPoolExecutor(20) as threads:
            calls = [threads.submit(tokens.token) for _ in range(given["callers"])]
            served += len([call.result() for call in calls])
    except ExplorerError as error:
        problem = f"{type(error).__name__}: {error}"
    state = tokens.state
    say(json.dumps({"served": served, "problem": problem, "phase": state.phase, "warning": state.warning}))


if __name__ == "__main__":
    main()
