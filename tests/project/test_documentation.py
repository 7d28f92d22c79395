"""What README, docs and examples show works: every block of Python is run, every command is read.

1. Blocks of Python run against the emulator, on virtual time, in an empty folder, with key, base URL and a secret in
   the environment. `await` may stand at the top; `asyncio.run(main())` at the end is awaited instead.
2. A block with tests in it is run by pytest in a process of its own, on real time.
3. Commands that begin with `seedance` are read by the command line, which knows their options.
"""

import ast
import importlib.util
import inspect
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import frozen

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
    ROOT / "benchmarks" / "README.md",
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@frozen
class Block:
    """One fenced block: the page, the line it begins on, its language, its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    """Every block of every page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            line = text[: found.start()].count("\n") + 1
            yield Block(page.relative_to(ROOT).as_posix(), line, found[1], found[2])


BLOCKS = list(blocks())
# The applications of the guide on web backends run behind servers, in tests/examples/test_guide.py.
PYTHON = [block for block in BLOCKS if block.language == "python" and block.page != "docs/web.md"]
COMMANDS = [
    (str(block), line.partition("  #")[0])
    for block in BLOCKS
    if block.language == "sh"
    for line in block.text.replace("\\\n", " ").splitlines()
    if re.match(r"(\w+=\S+ )*seedance ", line)
]


def has_tests(block: Block) -> bool:
    """Whether pytest is to run it."""
    return "def test_" in block.text


@pytest.fixture
async def service(emulator: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """An emulator that the environment points at, and an empty folder to be in."""
    running = await emulator(limit=3)
    monkeypatch.setenv("KINOVI_API_KEY", running.api_key)
    monkeypatch.setenv("SEEDANCE_BASE_URL", running.base_url)
    monkeypatch.setenv("SEEDANCE_WEBHOOK_SECRET", "a secret of nobody, long enough to be one")
    monkeypatch.chdir(tmp_path)
    return running


async def run_block(source: str, name: str) -> None:
    """Run source that may await at the top."""
    tree = ast.parse(source)
    match tree.body[-1]:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr="run"), args=[call]) as run):
            tree.body[-1] = ast.copy_location(ast.Expr(ast.copy_location(ast.Await(call), run)), run)
        case _:
            pass
    code = compile(tree, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    answer: Any = eval(code, {"__name__": "documentation"})
    if inspect.iscoroutine(answer):
        await answer


@pytest.mark.parametrize("block", [block for block in PYTHON if not has_tests(block)], ids=str)
async def test_python_blocks_run(block: Block, service: Any) -> None:
    """A block of Python does what the page says, against the emulator."""
    await run_block("\n" * block.line + block.text, block.page)


@pytest.mark.parametrize("block", [block for block in PYTHON if has_tests(block)], ids=str)
def test_blocks_with_tests_pass(block: Block, tmp_path: Path) -> None:
    """A block that shows tests is a file that pytest accepts, with the plugin and nothing else."""
    (tmp_path / "test_block.py").write_text(block.text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(("where", "command"), COMMANDS)
def test_commands_are_understood(where: str, command: str) -> None:
    """A command of a page names options that exist."""
    from seedance_async.cli.app import make_app

    words = [word for word in shlex.split(command, comments=True) if not re.match(r"[A-Z_]+=", word)]
    words = words[1 : words.index("<")] if "<" in words else words[1:]
    make_app().parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the repository names one that is there."""
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def load(name: str) -> ModuleType:
    """Import an example as a module."""
    specification = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_every_example_is_tested() -> None:
    """An example that is added gets a test here; the web applications have tests/examples."""
    assert {file.stem for file in (ROOT / "examples").glob("*.py")} == {
        "one_video", "many_videos", "resume",
    }  # fmt: skip


async def test_one_video(service: Any) -> None:
    """The example leaves the file it names, for one create."""
    await load("one_video").main()
    assert Path("lake.mp4").stat().st_size > 0
    assert service.statistics().accepted == 1


async def test_many_videos(service: Any) -> None:
    """The example leaves a file for each scene and shape."""
    await load("many_videos").main()
    assert len(list(Path("scenes").glob("scene-*-*.mp4"))) == 8
    assert service.statistics().accepted == 8


async def test_resume(service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while three scenes run, the example starts again with what was on the disk, and pays for each once."""
    import asyncio

    import anyio

    first = asyncio.create_task(load("resume").main({}))
    while service.statistics().accepted < 3:
        await anyio.sleep(0.5)
    await anyio.sleep(5)
    shutil.copytree(tmp_path / "scenes", tmp_path / "after" / "scenes", ignore=shutil.ignore_patterns("*.lock"))
    # Nothing of what the first run does from here on is in the copy: it ends there as if it had been killed.
    first.cancel()
    await asyncio.wait({first})
    monkeypatch.chdir(tmp_path / "after")
    await load("resume").main({})
    assert {file.stem for file in Path("scenes").glob("*.mp4")} == {f"scene-{number}" for number in range(1, 5)}
    assert service.statistics().accepted == 4
    await load("resume").main({})
    assert service.statistics().accepted == 4


async def test_resume_takes_a_hint(service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A scene whose answer was lost is said to be unknown, is not sent again, and comes once its task is told."""
    service.faults.add("drop-after-accept:nth=2")
    await load("resume").main({})
    await load("resume").main({})
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "perhaps paid" in line][-1:]
    lost = line.partition(":")[0]
    tasks = {task.order.prompt: task_id for task_id, task in service.world.tasks.items()}
    example = load("resume")
    await example.main({lost: tasks[example.wanted()[lost].prompt]})
    assert "perhaps paid" not in capsys.readouterr().out
    assert len(list(Path("scenes").glob("scene-?.mp4"))) == 4
    assert service.statistics().accepted == 4
