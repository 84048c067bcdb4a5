import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (BINDER / "constraints.txt").read_text().splitlines()
UV = [sys.executable, "-m", "uv"]
COMPILE = [*UV, "pip", "compile", "pyproject.toml", "--all-extras", "--group", "dev", "--universal"]
COMPILE += ["--no-annotate", "--no-header", "--quiet", "--output-file", "constraints.txt"]


def run(command, **options) -> str:
    """What a command says, on both of its outputs."""
    both = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, text=True, check=False, **both, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-5000:]}"
    return done.stdout


def locked(name: str) -> str:
    return next(line.split("==")[1].split()[0] for line in LOCK if line.startswith(f"{name}=="))


def compiled_onto(lines: list[str], folder: Path) -> list[str]:
    shutil.copy(ROOT / "pyproject.toml", folder)
    lock = folder / "constraints.txt"
    lock.write_text("".join(f"{line}\n" for line in lines))
    run(COMPILE, cwd=folder)
    return lock.read_text().splitlines()


def test_the_lock_is_names_and_versions_and_markers_alone():
    odd = [line for line in LOCK if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+]*( ; [a-z_]+ .+)?", line)]
    assert odd == []
    assert not [line for line in LOCK if "/" in line or "@" in line]


def test_compiling_onto_the_lock_changes_nothing(tmp_path):
    assert compiled_onto(LOCK, tmp_path) == LOCK


def test_a_line_taken_out_of_the_lock_is_missed(tmp_path):
    assert any(line.startswith("tqdm==") for line in compiled_onto([x for x in LOCK if "tqdm" not in x], tmp_path))


def test_the_makefile_compiles_the_lock_with_the_same_words():
    words = " ".join(COMPILE[3:-3])
    assert words.replace("--quiet", "-q") in (ROOT / "Makefile").read_text()


def test_binder_lists_nothing_of_its_own():
    assert (BINDER / "requirements.txt").read_text().split("\n") == ["-c constraints.txt", ".[workshop]", ""]
    assert "workshop" in PYPROJECT["project"]["optional-dependencies"]
    assert sorted(path.name for path in BINDER.iterdir()) == [
        "constraints.txt",
        "postBuild",
        "requirements.txt",
        "runtime.txt",
    ]


def test_binder_runs_the_python_that_the_classifiers_name():
    version = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")
    assert f"Programming Language :: Python :: {version}" in PYPROJECT["project"]["classifiers"]
    assert PYPROJECT["project"]["requires-python"] == f">={version}"


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """The project as a clone would have it, with what is not committed yet."""
    folder = tmp_path_factory.mktemp("binder") / "source"
    listing = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT)
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def dockerfile(source) -> str:
    repo2docker = [str(Path(sys.executable).with_name("jupyter-repo2docker"))]
    options = ["--no-build", "--debug", "--user-id", "1000", "--user-name", "jovyan", "."]
    return run([*repo2docker, *options], cwd=source)


def assembly(dockerfile: str) -> list[str]:
    """The shell lines that repo2docker runs in the copied repository."""
    assert "# Run assemble scripts" in dockerfile
    return re.findall(r"^RUN (.+)$", dockerfile.split("# Run assemble scripts")[1], re.MULTILINE)


def test_repo2docker_renders_a_dockerfile_from_it(dockerfile):
    assert "Building conda environment for python=3.11" in dockerfile
    steps = assembly(dockerfile)
    assert [step for step in steps if "pip install" in step and '-r "binder/requirements.txt"' in step]
    assert steps[-1] == "./binder/postBuild"


@pytest.fixture(scope="module")
def environment(source, dockerfile, tmp_path_factory) -> dict[str, str]:
    """An environment with nothing but pip in it, after repo2docker's own steps.

    Pip's cache is left on, and nothing is compiled ahead: most of these modules nobody imports here.
    """
    home = tmp_path_factory.mktemp("home")
    prefix = home / "notebook"
    run([*UV, "venv", "--quiet", "--python", sys.executable, prefix])
    run([*UV, "pip", "install", "--quiet", "--python", prefix / "bin/python", f"pip=={locked('pip')}"])
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    variables |= {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    variables |= {"KERNEL_PYTHON_PREFIX": str(prefix), "NB_PYTHON_PREFIX": str(prefix), "IPYTHONDIR": str(home / "ip")}
    variables["PIP_COMPILE"] = "0"
    variables["PATH"] = f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for step in assembly(dockerfile):
        run(["bash", "-c", step.replace("--no-cache-dir", "")], cwd=source, env=variables)
    return variables


IN_A_KERNEL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3", startup_timeout=300)
try:
    client.execute_interactive(CODE, timeout=300)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""


def in_a_kernel(code: str, environment: dict[str, str], folder: Path) -> str:
    python = f"{environment['KERNEL_PYTHON_PREFIX']}/bin/python"
    return run([python, "-c", IN_A_KERNEL.replace("CODE", repr(code))], env=environment, cwd=folder).splitlines()[-1]


@pytest.mark.slow
def test_its_pip_lines_give_a_lab_whose_kernel_imports_the_explorer(environment, tmp_path):
    assert run(["jupyter", "lab", "--version"], env=environment, cwd=tmp_path).strip() == locked("jupyterlab")
    prefix = environment["KERNEL_PYTHON_PREFIX"]
    code = "import explorer; explorer.explore, explorer.demo.start; print(explorer.__file__)"
    assert in_a_kernel(code, environment, tmp_path) == f"{prefix}/lib/python3.11/site-packages/explorer/__init__.py"


@pytest.mark.slow
def test_its_lab_has_the_proxy_the_widgets_and_no_question_about_news(environment, tmp_path):
    assert "jupyter_server_proxy" in run(["jupyter", "server", "extension", "list"], env=environment, cwd=tmp_path)
    extensions = run(["jupyter", "labextension", "list"], env=environment, cwd=tmp_path)
    for name in ("@jupyter-widgets/jupyterlab-manager", "anywidget"):
        assert re.search(rf"{name} v\S+ .*enabled.*OK", extensions), extensions
    assert "apputils-extension:announcements" in extensions.split("Disabled extensions")[1]
