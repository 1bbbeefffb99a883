/** A terminal by envd's RPC and `fetch` alone: the least there is between a program and a shell. */

/**
 * Listens to a terminal that runs.
 * @param {{ url: string, headers: Record<string, string> }} target
 * @param {number} pid
 * @param {(data: Buffer) => void} onData
 */
export async function openRawPty(target, pid, onData) {
  const selector = { process: { pid } };
  const stop = new AbortController();
  const response = await fetch(`${target.url}/process.Process/Connect`, {
    method: 'POST',
    headers: { ...target.headers, 'content-type': 'application/connect+json' },
    body: envelope(JSON.stringify(selector)),
    signal: stop.signal,
  });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  void listen(response.body, onData).catch(() => undefined);
  return {
    async send(data) {
      const answer = await fetch(`${target.url}/process.Process/SendInput`, {
        method: 'POST',
        headers: { ...target.headers, 'content-type': 'application/json' },
        body: JSON.stringify({ ...selector, input: { pty: Buffer.from(data).toString('base64') } }),
      });
      if (!answer.ok) throw new Error(await answer.text());
      await answer.arrayBuffer();
    },
    close: () => stop.abort(),
  };
}

async function listen(body, onData) {
  let rest = Buffer.alloc(0);
  for await (const chunk of body) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      const { pty } = JSON.parse(rest.subarray(5, end).toString()).event?.data ?? {};
      if (pty) onData(Buffer.from(pty, 'base64'));
      rest = rest.subarray(end);
    }
  }
}

function envelope(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(Buffer.byteLength(message), 1);
  return Buffer.concat([head, Buffer.from(message)]);
}
