"""Uses every method of e2b's AsyncSandbox, and prints one line of JSON for each check: {"name", "error"?}."""

import asyncio
import json
import sys
import traceback

from called import Called
from checks_commands import commands_checks, pty_checks
from checks_files import files_checks, watch_checks
from checks_sandbox import sandbox_checks
from e2b import AsyncCommandHandle, AsyncSandbox, AsyncWatchHandle

LIMIT_SECONDS = 60


async def check(name, function, *args):
    result = {"name": name}
    try:
        await asyncio.wait_for(function(*args), LIMIT_SECONDS)
    except BaseException:
        result["error"] = traceback.format_exc()
    print(json.dumps(result), flush=True)


async def main():
    called = Called()
    sandbox = await AsyncSandbox.create(metadata={"purpose": "every method", "odd": "ä &=%25"}, envs={"GREETING": "hi"})
    called.watch("AsyncSandbox", AsyncSandbox)
    called.watch("files", type(sandbox.files))
    called.watch("commands", type(sandbox.commands))
    called.watch("pty", type(sandbox.pty))
    called.watch("AsyncCommandHandle", AsyncCommandHandle)
    called.watch("AsyncWatchHandle", AsyncWatchHandle)
    for checks in (sandbox_checks, commands_checks, pty_checks, files_checks, watch_checks):
        for function in checks:
            await check(function.__name__, function, sandbox)
    await sandbox.kill()

    async def nothing_left_out():
        assert called.missed() == [], called.missed()

    await check("no_method_of_the_sdk_was_left_out", nothing_left_out)


asyncio.run(main())
sys.exit(0)
