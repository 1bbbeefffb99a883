"""Commands and terminals."""

import asyncio

from checks_sandbox import refused, until
from e2b import CommandExitException, PtySize, TimeoutException


async def run(sandbox):
    heard = []
    result = await sandbox.commands.run(
        'echo "$GREETING $MORE"; pwd; echo err >&2', envs={"MORE": "there"}, cwd="/tmp", on_stdout=heard.append
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "hi there\n/tmp\n", "err\n"), result
    assert "".join(heard) == result.stdout
    error = await refused(sandbox.commands.run("exit 3"), CommandExitException)
    assert error.exit_code == 3
    await refused(sandbox.commands.run("sleep 300", timeout=0.3), TimeoutException)
    assert (await sandbox.commands.run("whoami", user="user")).stdout == "user\n"


async def stdin_and_connect(sandbox):
    cat = await sandbox.commands.run("cat", background=True, stdin=True)
    assert cat.pid in [process.pid for process in await sandbox.commands.list()]
    second = await sandbox.commands.connect(cat.pid)
    await sandbox.commands.send_stdin(cat.pid, "typed\n")
    await cat.send_stdin("by the handle\n")
    await cat.close_stdin()
    assert (await cat.wait()).stdout == "typed\nby the handle\n"
    assert (await second.wait()).exit_code == 0
    other = await sandbox.commands.run("cat", background=True, stdin=True)
    await sandbox.commands.close_stdin(other.pid)
    assert (await other.wait()).exit_code == 0


async def streamed_input(sandbox):
    cat = await sandbox.commands.run("cat", background=True, stdin=True)
    async with sandbox.commands.stream_input(cat.pid) as input_handle:
        for line in ("one\n", "two\n"):
            await input_handle.send(line)
    await cat.close_stdin()
    assert (await cat.wait()).stdout == "one\ntwo\n", cat.stdout


async def kill_and_disconnect(sandbox):
    sleep = await sandbox.commands.run("sleep 300", background=True)
    assert await sleep.kill() is True
    error = await refused(sleep.wait(), CommandExitException)
    assert error.exit_code == -1
    assert await sandbox.commands.kill(sleep.pid) is False
    left = await sandbox.commands.run("sleep 300", background=True)
    await left.disconnect()
    assert left.pid in [process.pid for process in await sandbox.commands.list()]
    assert await sandbox.commands.kill(left.pid) is True


commands_checks = (run, stdin_and_connect, streamed_input, kill_and_disconnect)


async def terminal(sandbox):
    output = bytearray()
    pty = await sandbox.pty.create(PtySize(rows=24, cols=80), on_data=output.extend)
    waiting = asyncio.ensure_future(refused(pty.wait(), CommandExitException))

    def shown(text, where=output):
        async def contains():
            return text in where

        return contains

    await sandbox.pty.send_stdin(pty.pid, b"stty size; echo $TERM\n")
    await until("the size is shown", shown(b"24 80"))
    await until("the kind is shown", shown(b"xterm-256color\r"))
    await sandbox.pty.resize(pty.pid, PtySize(rows=30, cols=100))
    second = bytearray()
    other = await sandbox.pty.connect(pty.pid, on_data=second.extend)
    await sandbox.pty.send_stdin(pty.pid, b"stty size\n")
    await until("both see the new size", shown(b"30 100", second))
    async with sandbox.pty.stream_input(pty.pid) as input_handle:
        await input_handle.send(b"echo streamed-$((1+1))\n")
    await until("streamed input arrives", shown(b"streamed-2"))
    assert await sandbox.pty.kill(pty.pid) is True
    await waiting
    await other.disconnect()
    assert await sandbox.pty.kill(pty.pid) is False


pty_checks = (terminal,)
