"""Files and watchers."""

import io

from checks_sandbox import refused, until
from e2b import FileNotFoundException, FilesystemEventType, FileType, InvalidArgumentException, NotFoundException


async def write_and_read(sandbox):
    files = sandbox.files
    written = await files.write("a/f", "text")
    assert (written.path, written.name) == ("/home/user/a/f", "f"), written
    assert await files.read("a/f") == "text"
    await files.write("raw", bytes([0, 255, 128]), use_octet_stream=True)
    assert bytes(await files.read("raw", format="bytes")) == bytes([0, 255, 128])
    await files.write("zipped", "z" * 100_000, gzip=True)
    assert len(await files.read("zipped", gzip=True)) == 100_000
    await files.write("streamed", io.BytesIO(b"streamed"))
    chunks = [chunk async for chunk in await files.read("streamed", format="stream")]
    assert b"".join(chunks) == b"streamed"
    await files.write("empty", "")
    assert await files.read("empty") == ""
    await refused(files.read("missing"), FileNotFoundException)
    await refused(files.read("a"), InvalidArgumentException)
    many = await files.write_files([{"path": "m/1", "data": "one"}, {"path": "/tmp/2", "data": b"two"}])
    assert [one.path for one in many] == ["/home/user/m/1", "/tmp/2"]


async def metadata_and_users(sandbox):
    await sandbox.files.write("tagged", "x", metadata={"origin": "test"})
    assert (await sandbox.files.get_info("tagged")).metadata == {"origin": "test"}
    await sandbox.files.write("/tmp/of-root-py", "x", user="root")
    assert await sandbox.files.read("/tmp/of-root-py", user="root") == "x"


async def entries(sandbox):
    files = sandbox.files
    await files.write("l/deep/er", "abc")
    assert [entry.name for entry in await files.list("l")] == ["deep"]
    assert "/home/user/l/deep/er" in [entry.path for entry in await files.list("l", depth=2)]
    info = await files.get_info("l/deep/er")
    assert (info.type, info.size, info.permissions, info.owner) == (FileType.FILE, 3, "-rw-r--r--", "user"), info
    assert await files.exists("l") and not await files.exists("nowhere")
    assert [await files.make_dir("d/e"), await files.make_dir("d/e")] == [True, False]
    await files.write("d/1", "1")
    assert (await files.rename("d/1", "d/2")).path == "/home/user/d/2"
    await files.remove("d")
    assert not await files.exists("d")
    await refused(files.list("nowhere"), FileNotFoundException)


files_checks = (write_and_read, metadata_and_users, entries)


async def watch(sandbox):
    await sandbox.files.make_dir("w/sub")
    events = []
    handle = await sandbox.files.watch_dir("w", on_event=events.append, recursive=True, include_entry=True)
    await sandbox.files.write("w/one", "1")
    await sandbox.files.write("w/sub/two", "2")
    await sandbox.files.rename("w/one", "w/uno")
    await sandbox.files.remove("w/sub/two")
    expected = {
        ("one", FilesystemEventType.CREATE),
        ("sub/two", FilesystemEventType.CREATE),
        ("one", FilesystemEventType.RENAME),
        ("uno", FilesystemEventType.CREATE),
        ("sub/two", FilesystemEventType.REMOVE),
    }

    async def all_told():
        return expected <= {(event.name, event.type) for event in events}

    await until("all is told", all_told)
    await handle.stop()
    await refused(sandbox.files.watch_dir("nowhere", on_event=events.append), NotFoundException)


watch_checks = (watch,)
