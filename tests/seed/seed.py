"""The seed as seed.go has it, through the explorer and a generated stub; what goes in and comes out is the same."""

import importlib
import json
import sys

import explorer


def main(stub_folder: str) -> None:
    """Get one user with a refresh token alone."""
    sys.path.insert(0, stub_folder)
    messages, services = map(importlib.import_module, ("user_service_pb2", "user_service_pb2_grpc"))
    given = json.load(sys.stdin)
    tokens = explorer.oauth.refresh_token(
        given["issuer"],
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        refresh_token=given["refresh_token"],
        scope="read:users",
    )
    roots = given["root_certificates"].encode()
    with explorer.rpc.secure_channel(given["target"], token_source=tokens, root_certificates=roots) as channel:
        request = messages.GetUserRequest(user_id=given["user_id"])
        user = services.UserServiceStub(channel).GetUser(request, timeout=30)
    sys.stdout.write(json.dumps({"id": user.id, "name": user.name}))


if __name__ == "__main__":
    main(sys.argv[1])
