"""The life of a sandbox, as a static call and on an instance."""

import asyncio
import datetime

import httpx
from e2b import AsyncSandbox, SandboxException
from e2b import SandboxQuery, SandboxState


async def until(what, condition, seconds=20.0):
    for _ in range(int(seconds / 0.05)):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited in vain until {what}")


async def refused(awaitable, error=SandboxException):
    try:
        await awaitable
    except error as caught:
        return caught
    raise AssertionError(f"was not refused with {error.__name__}")


async def create_list_and_get_info(sandbox):
    info = await sandbox.get_info()
    assert info.sandbox_id == sandbox.sandbox_id and info.state == SandboxState.RUNNING, info
    assert info.metadata == {"purpose": "every method", "odd": "ä &=%25"}, info.metadata
    assert (info.end_at - info.started_at).total_seconds() > 290
    assert (await AsyncSandbox.get_info(sandbox.sandbox_id)).sandbox_id == sandbox.sandbox_id
    only = AsyncSandbox.list(query=SandboxQuery(metadata={"odd": "ä &=%25"}))
    assert [one.sandbox_id for one in await only.next_items()] == [sandbox.sandbox_id]
    others = [await AsyncSandbox.create(metadata={"set": "page"}) for _ in range(2)]
    paged = AsyncSandbox.list(query=SandboxQuery(metadata={"set": "page"}, state=[SandboxState.RUNNING]), limit=1)
    seen = []
    while paged.has_next:
        seen += [one.sandbox_id for one in await paged.next_items()]
    assert sorted(seen) == sorted(other.sandbox_id for other in others), seen
    for other in others:
        await other.kill()


async def connect(sandbox):
    again = await AsyncSandbox.connect(sandbox.sandbox_id)
    assert (await again.commands.run("echo again")).stdout == "again\n"
    assert (await sandbox.connect(timeout=300)).sandbox_id == sandbox.sandbox_id


async def set_timeout_and_is_running(sandbox):
    async with await AsyncSandbox.create() as one:
        await one.set_timeout(60)
        end = (await one.get_info()).end_at
        assert (end - datetime.datetime.now(datetime.timezone.utc)).total_seconds() < 61
        await AsyncSandbox.set_timeout(one.sandbox_id, 1)
        await until("it has ended", lambda: _not(one.is_running()))
        await refused(one.get_info())


async def _not(awaitable):
    return not await awaitable


async def pause_and_resume(sandbox):
    one = await AsyncSandbox.create()
    await one.files.write("kept", "kept")
    sleep = await one.commands.run("sleep 300", background=True, timeout=0)
    assert await one.pause() is True
    assert await one.pause() is False
    assert await one.beta_pause() is False
    assert (await one.get_info()).state == SandboxState.PAUSED
    assert not await one.is_running()
    resumed = await AsyncSandbox.connect(one.sandbox_id)
    assert await resumed.files.read("kept") == "kept"
    assert [process.pid for process in await resumed.commands.list()] == [sleep.pid]
    assert await resumed.pause(keep_memory=False) is True
    await resumed.connect()
    assert await resumed.commands.list() == []
    assert await resumed.files.read("kept") == "kept"
    assert await AsyncSandbox.pause(one.sandbox_id) is True
    assert await AsyncSandbox.kill(one.sandbox_id) is True


async def pause_at_the_end_time_and_resume_by_traffic(sandbox):
    one = await AsyncSandbox.create(timeout=1, lifecycle={"on_timeout": "pause", "auto_resume": True})
    await one.files.write("kept", "kept")

    async def paused():
        return (await one.get_info()).state == SandboxState.PAUSED

    await until("it is paused", paused)
    assert await one.files.read("kept") == "kept"
    await one.kill()


async def fork(sandbox):
    one = await AsyncSandbox.create()
    await one.files.write("kept", "kept")
    forks = [*await one.fork(count=2), *await AsyncSandbox.fork(one.sandbox_id)]
    assert len(forks) == 3
    for copy in forks:
        assert copy.sandbox_id != one.sandbox_id
        assert await copy.files.read("kept") == "kept"
        await copy.files.write("kept", "changed")
        await copy.kill()
    assert await one.files.read("kept") == "kept"
    await one.kill()


async def snapshots(sandbox):
    one = await AsyncSandbox.create()
    await one.files.write("kept", "kept")
    snapshot = await one.create_snapshot()
    named = await AsyncSandbox.create_snapshot(one.sandbox_id, name="named")
    listed = await one.list_snapshots().next_items()
    expected = sorted([snapshot.snapshot_id, named.snapshot_id])
    assert sorted(item.snapshot_id for item in listed) == expected, listed
    assert len(await AsyncSandbox.list_snapshots(sandbox_id=one.sandbox_id).next_items()) == 2
    await one.kill()
    restored = await AsyncSandbox.create(snapshot.snapshot_id)
    assert await restored.files.read("kept") == "kept"
    await restored.kill()
    assert await AsyncSandbox.delete_snapshot(snapshot.snapshot_id) is True
    assert await AsyncSandbox.delete_snapshot(snapshot.snapshot_id) is False


async def get_metrics(sandbox):
    async def sampled():
        return len(await sandbox.get_metrics()) > 0

    await until("there is a sample", sampled)
    sample = (await AsyncSandbox.get_metrics(sandbox.sandbox_id))[0]
    assert 0 < sample.mem_used < sample.mem_total, sample
    assert sample.cpu_count > 0 and sample.disk_total > 0, sample


async def update_network(sandbox):
    await sandbox.update_network({"deny_out": ["0.0.0.0/0"], "allow_out": ["example.com"]})
    await AsyncSandbox.update_network(sandbox.sandbox_id, {})


async def hosts_and_mcp(sandbox):
    assert sandbox.get_host(3000) == f"3000-{sandbox.sandbox_id}.{sandbox.sandbox_domain}"
    assert "50005-" in sandbox.get_mcp_url()
    try:
        await sandbox.get_mcp_token()
    except SandboxException as error:
        assert "not" in str(error)


async def signed_urls(sandbox):
    async with httpx.AsyncClient() as client:
        upload = sandbox.upload_url("signed", use_signature_expiration=60)
        assert (await client.post(upload, files={"file": ("signed", b"signed")})).status_code == 200
        url = sandbox.download_url("signed", use_signature_expiration=60)
        assert (await client.get(url)).text == "signed"
        assert (await client.get(url.replace("signature=v1_", "signature=v1_x"))).status_code == 401


sandbox_checks = (
    create_list_and_get_info,
    connect,
    set_timeout_and_is_running,
    pause_and_resume,
    pause_at_the_end_time_and_resume_by_traffic,
    fork,
    snapshots,
    get_metrics,
    update_network,
    hosts_and_mcp,
    signed_urls,
)
