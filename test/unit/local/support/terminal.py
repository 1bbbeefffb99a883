"""Runs a program in a terminal of 100 columns and 30 rows.

Lines of JSON on stdin: {"send": text}, {"resize": [columns, rows]}, {"signal": number}. What the program prints goes to
stdout. At its end, one line of JSON on stderr: its exit code, and whether the terminal is as it was before.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios


def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


pid, fd = pty.fork()
if pid == 0:
    # The size is set before anything looks at it.
    resize(0, 100, 30)
    os.execvp(sys.argv[1], sys.argv[1:])
assert pid > 1
before = termios.tcgetattr(fd)

control = sys.stdin.buffer
pending = b""
sources = [fd, control]
while True:
    ready, _, _ = select.select(sources, [], [])
    if fd in ready:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    if control in ready:
        chunk = os.read(control.fileno(), 65536)
        if not chunk:
            sources.remove(control)
        pending += chunk
        *lines, pending = pending.split(b"\n")
        for line in lines:
            step = json.loads(line)
            if "send" in step:
                os.write(fd, step["send"].encode())
            if "resize" in step:
                resize(fd, *step["resize"])
            if "signal" in step:
                os.kill(pid, step["signal"])

_, status = os.waitpid(pid, 0)
print(json.dumps({"code": os.waitstatus_to_exitcode(status), "restored": termios.tcgetattr(fd) == before}), file=sys.stderr)
