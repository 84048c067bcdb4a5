"""One of two kernels that share a stored grant: reads loads as lines of JSON, and says what became of each."""

import json
import sys
from dataclasses import asdict

import explorer
from benchmarks.callers import Load, PythonCallers


def main() -> None:
    """A line that says where, then a line per load."""
    given = json.loads(sys.stdin.readline())
    source = explorer.oauth.refresh_token(
        given["issuer"],
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        refresh_token=given["refresh_token"],
        store=explorer.oauth.FileStore(given["directory"]),
    )

    def access_token() -> str:
        return source.token(timeout=30).access_token.reveal()

    callers = PythonCallers(access_token)
    for line in sys.stdin:
        print(json.dumps(asdict(callers.run(Load(**json.loads(line))))), flush=True)


if __name__ == "__main__":
    main()
