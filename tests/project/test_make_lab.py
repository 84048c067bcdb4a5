import json
import os
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_lab import wait_until_it_listens

ROOT = Path(__file__).parents[2]
LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))

pytestmark = [pytest.mark.slow]
if not shutil.which("make"):
    pytestmark.append(pytest.mark.skip(reason="make is not here"))


def printed_url(lab: subprocess.Popen[str]) -> str:
    seen = []
    for line in lab.stdout:
        seen.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab/tree/notebooks/index\.ipynb\?token=\w+", line):
            assert any(said.startswith("starting JupyterLab") for said in seen), "silence, for half a minute"
            wait_until_it_listens(found[0])
            return found[0]
    pytest.fail(f"make lab printed no URL: {''.join(seen)}")


def ask(url: str, *, token: str | None, method: str = "GET") -> bytes:
    headers = {"Authorization": f"token {token}"} if token else {}
    with LOOPBACK.open(urllib.request.Request(url, headers=headers, method=method), timeout=120) as answer:
        return answer.read()


@pytest.fixture
def runtime(tmp_path) -> Path:
    return tmp_path / "RUNTIME"


@pytest.fixture
def lab(tmp_path, runtime):
    """`make lab` as on a headless machine, in a process group of its own like a terminal's foreground job."""
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    process = subprocess.Popen(
        ["make", "lab", "BROWSER=no", "PORT=0"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"} | folders,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    for child in [*psutil.Process().children(recursive=True)]:
        if child.pid == process.pid or process.pid in {parent.pid for parent in child.parents()}:
            child.kill()
    process.stdout.close()
    process.wait(60)


def start_kernel(base: str, token: str, runtime: Path) -> BlockingKernelClient:
    kernel = json.loads(ask(f"{base}/api/kernels", token=token, method="POST"))["id"]
    client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{kernel}.json"))
    client.load_connection_file()
    client.start_channels()
    client.kernel_info(reply=True, timeout=200)  # not wait_for_ready: on a busy machine it takes a slow kernel for dead
    return client


def test_make_lab_serves_the_notebooks_and_ctrl_c_ends_all_it_started(lab, runtime):
    url = printed_url(lab)
    base, token = url.split("/lab/")[0], url.split("token=")[1]
    page = ask(url, token=None).decode()
    config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    assert "@jupyterlab/apputils-extension:announcements" in config["disabledExtensions"], "a question over the widget"
    listing = json.loads(ask(f"{base}/api/contents/notebooks", token=token))
    assert "index.ipynb" in [entry["name"] for entry in listing["content"]]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        ask(f"{base}/api/contents/notebooks", token=None)

    client = start_kernel(base, token, runtime)
    answer = client.execute_interactive("import explorer; demo = explorer.demo.start()", timeout=200)
    client.stop_channels()
    assert answer["content"]["status"] == "ok", answer["content"]

    started = psutil.Process(lab.pid).children(recursive=True)
    commands = [" ".join(process.cmdline()) for process in started]
    for part in ("jupyterlab", "ipykernel_launcher", "explorer.demo"):
        assert [command for command in commands if part in command], commands

    os.killpg(lab.pid, signal.SIGINT)
    _, alive = psutil.wait_procs([psutil.Process(lab.pid), *started], timeout=200)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
