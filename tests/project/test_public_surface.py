"""What is promised by name: exports, docstrings, reserved words, and what an import costs."""

import importlib
import inspect
import json
import subprocess
import sys
import types

import pytest

import seedance_async
from seedance_async import AsyncSeedance
from seedance_async.core.inputs import INPUT_CLASSES, INPUT_FIELDS

PROMISED = {
    "AsyncSeedance", "TaskHandle", "as_completed",
    "TextToVideo", "ImageToVideo", "OmniReference", "VideoEdit", "VideoExtend",
    "Catalogue", "ModelSpec", "Quote", "RetryPolicy", "PollingPolicy", "Timeouts",
    "VideoResult", "TaskSnapshot",
    "SeedanceError", "ConfigurationError", "InputError", "BudgetExceededError", "SlotTimeoutError",
    "ApiError", "BadRequestError", "AuthenticationError", "InsufficientCreditsError", "PermissionDeniedError",
    "TaskNotFoundError", "ConcurrencyLimitError", "ServerError", "ConnectionFailedError", "OutcomeUnknownError",
    "TaskFailedError", "TaskTimeoutError", "SessionClosedError", "KeyConflictError", "DownloadError",
    "JournalError", "Journal", "SqliteJournal",
    "Hook", "HookEvent", "SessionBegun", "SessionEnded", "Queued", "Attached", "SlotAcquired", "AttemptEnded",
    "Accepted", "PollEnded", "StatusChanged", "WaitEnded", "Finished", "Unclaimed", "SlotGivenUp", "Refusal",
    "LimitChanged", "GateClosed", "GateOpened", "PossibleDouble", "Drift", "DownloadStarted", "DownloadProgress",
    "DownloadEnded", "Uploaded",
}  # fmt: skip

SESSION_MEMBERS = {
    "enqueue", "submit", "generate", "map", "attach", "snapshot", "quote", "download", "stream", "drain", "pending",
    "statistics", "healthy", "notify", "open", "aclose", "resume", "journal",
}  # fmt: skip

HANDLE_MEMBERS = {
    "key", "inputs", "task_id", "status", "snapshot", "position", "elapsed", "estimate", "done", "wait", "accepted",
    "result", "exception", "updates", "cancel", "detach",
}  # fmt: skip

PUBLIC_MODULES = ["seedance_async", "seedance_async.testing", "seedance_async.webhooks", "seedance_async.otel"]

CORE_DISTRIBUTIONS = {
    "aiohttp", "attr", "attrs", "cattrs", "anyio",
    "aiohappyeyeballs", "aiosignal", "frozenlist", "idna", "multidict", "propcache", "typing_extensions", "yarl",
    "sniffio",  # anyio asks it where somebody else has installed it
}  # fmt: skip


def exported(module: types.ModuleType) -> list[str]:
    """The names in a module's `__all__`."""
    return list(module.__all__)


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_all_is_honest(name: str) -> None:
    """Every name in `__all__` is there, once; and no other public name is, modules left out."""
    module = importlib.import_module(name)
    assert len(exported(module)) == len(set(exported(module)))
    assert [each for each in exported(module) if not hasattr(module, each)] == []
    # Names that are imported when first asked for are in the module by now.
    others = {
        each
        for each, value in vars(module).items()
        if not each.startswith("_") and not isinstance(value, types.ModuleType) and each not in exported(module)
    }
    assert others - {"TYPE_CHECKING", "import_module", "Any"} == set()


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_promised_names_are_exported(name: str) -> None:
    """The names that design and README use are there."""
    assert name in exported(seedance_async)


@pytest.mark.parametrize("name", exported(seedance_async))
def test_public_names_are_documented(name: str) -> None:
    """Every public class and function has a docstring of its own, and so has every public method."""
    thing = getattr(seedance_async, name)
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        return
    silent = [] if thing.__doc__ else [name]
    if inspect.isclass(thing) and thing.__module__.startswith("seedance_async"):
        for member, value in vars(thing).items():
            inner = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if not member.startswith("_") and inspect.isfunction(inner) and not inner.__doc__:
                silent.append(f"{name}.{member}")
    assert silent == []


def test_errors_end_in_error() -> None:
    """Each exception's name ends in `Error`, and each descends from `SeedanceError`."""
    for name in exported(seedance_async):
        thing = getattr(seedance_async, name)
        if inspect.isclass(thing) and issubclass(thing, Exception):
            assert name.endswith("Error")
            assert issubclass(thing, seedance_async.SeedanceError)


@pytest.mark.parametrize("member", sorted(SESSION_MEMBERS))
def test_session_members_exist(member: str) -> None:
    """The session has the members that are promised, public and documented."""
    assert inspect.getdoc(inspect.getattr_static(AsyncSeedance, member))


@pytest.mark.parametrize("member", sorted(HANDLE_MEMBERS))
def test_handle_members_exist(member: str) -> None:
    """A handle has the members that are promised."""
    assert hasattr(seedance_async.TaskHandle, member) or member in inspect.get_annotations(seedance_async.TaskHandle)


@pytest.mark.parametrize("method", ["enqueue", "submit", "generate", "map"])
def test_options_never_shadow_inputs(method: str) -> None:
    """Fields of inputs are given beside a method's own options, so no name may be both."""
    options = {
        name
        for name, parameter in inspect.signature(getattr(AsyncSeedance, method)).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    assert options & set(INPUT_FIELDS) == set()


@pytest.mark.parametrize(
    "name", ["key", "variant", "polling", "timeout", "inputs", "ordered", "window", "attempts", "id", "output"]
)
def test_reserved_words_stay_reserved(name: str) -> None:
    """Words that options, batch columns and later releases need are no input names."""
    assert name not in INPUT_FIELDS


def test_input_fields_are_the_fields_of_all_classes() -> None:
    """`INPUT_FIELDS` is exactly the union over the input classes."""
    union = {field for each in INPUT_CLASSES for field in inspect.signature(each).parameters}
    assert set(INPUT_FIELDS) == union


def foreign(pulled: list[str]) -> set[str]:
    """The names that are not of the standard library; compiled modules register helpers of their own."""
    helpers = ("_sysconfigdata", "_cython_", "cython_runtime")
    return {name for name in pulled if not name.startswith(helpers)} - set(sys.stdlib_module_names)


def fresh(code: str) -> list[str]:
    """Run code in an interpreter of its own, without user site and environment; it prints a JSON list."""
    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    answer = json.loads(ended.stdout)
    assert isinstance(answer, list)
    return answer


def test_the_import_pulls_four_libraries() -> None:
    """`import seedance_async` loads the standard library, aiohttp, attrs, cattrs, anyio and what they need."""
    pulled = fresh(
        "import sys, json; before = set(sys.modules); import seedance_async\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
    )
    assert foreign(pulled) - CORE_DISTRIBUTIONS == {"seedance_async"}


def test_a_session_pulls_no_more() -> None:
    """What is loaded when the first session opens is of the same libraries."""
    pulled = fresh(
        "import sys, json; before = set(sys.modules); import asyncio, seedance_async\n"
        "async def main():\n"
        "    async with seedance_async.AsyncSeedance('key', base_url='http://127.0.0.1:9/api/v1'): pass\n"
        "asyncio.run(main())\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
    )
    assert "aiohttp" in pulled
    assert foreign(pulled) - CORE_DISTRIBUTIONS == {"seedance_async"}


def test_the_import_leaves_applications_alone() -> None:
    """Emulator, batch runner and command line are loaded by those who use them."""
    pulled = fresh(
        "import sys, json, seedance_async; "
        "print(json.dumps(sorted(name for name in sys.modules if name.startswith('seedance_async.'))))"
    )
    assert [name for name in pulled if name.split(".")[1] in {"batch", "cli", "testing", "webhooks"}] == []
