import { beforeAll, describe, expect, test } from 'vitest';
import type { Channel, ChannelEvent } from '../../../src/channel/channel.js';
import { createDurableChannel, openDurableChannel } from '../../../src/channel/durable/durable-channel.js';
import { footerLength } from '../../../src/channel/durable/footer.js';
import { Connection } from '../../../src/transport/connection.js';
import { fixedCredential } from '../../../src/transport/credential.js';
import { createSandbox, envdHeaders, startServer } from '../local/support/server.js';

let connection: Connection;
const size = { cols: 91, rows: 31 };
const encode = (text: string) => new TextEncoder().encode(text);

beforeAll(async () => {
  const server = await startServer();
  const created = await createSandbox(server);
  connection = new Connection({
    sandboxId: created.sandboxID,
    envdVersion: created.envdVersion,
    baseUrl: server.sandboxUrl,
    credential: fixedCredential(envdHeaders(created)),
    streamingUploads: true,
  });
});

const create = () => createDurableChannel(connection, { size, maxLogBytes: 1 << 22 }, {});

async function read(channel: Channel): Promise<{ text: string; exit: ChannelEvent | undefined }> {
  let text = '';
  let exit: ChannelEvent | undefined;
  let offset = 0;
  for await (const event of channel) {
    if (event.type === 'output') {
      expect(event.offset).toBe(offset);
      offset += event.data.length;
      text += new TextDecoder('latin1').decode(event.data);
    } else exit = event;
  }
  return { text, exit };
}

describe('a durable terminal', () => {
  test('prints what its shell does and nothing else, and ends as it does', async () => {
    const channel = await create();
    await channel.send(encode('stty size; printf last; exit 5\n'));
    const { text, exit } = await read(channel);
    expect(text).toContain('\r\n31 91\r\n'.replace('\r\n', ''));
    expect(text).not.toContain('Script');
    expect(text.split('printf last')).toHaveLength(2);
    expect(exit).toMatchObject({ type: 'exit', exitCode: 5 });
    const again = await read(await openDurableChannel(connection, { id: channel.epoch }, {}));
    expect(again).toEqual({ text, exit });
  });

  test('is the same for all who read it, and has the size that was last wished for', async () => {
    const channel = await create();
    const reading = read(channel);
    channel.resize({ cols: 50, rows: 20 });
    await channel.send(encode('sleep 0.2; stty size; seq 1 20000; exit\n'));
    const other = await openDurableChannel(connection, { id: channel.epoch }, {});
    const [one, two] = await Promise.all([reading, read(other)]);
    expect(two).toEqual(one);
    expect(one.text).toContain('20 50\r\n');
    expect(one.text).toContain(Array.from({ length: 20000 }, (_, i) => `${i + 1}\r\n`).join(''));
  });

  test('is one like others when its log is full, which is declared', async () => {
    const channel = await createDurableChannel(connection, { size, maxLogBytes: 4096 }, {});
    await channel.send(encode('seq 1 5000; sleep 0.3; printf after; exit 7\n'));
    const events: ChannelEvent[] = [];
    for await (const event of channel) events.push(event);
    const gap = events.findIndex(({ type }) => type === 'gap');
    expect(events[gap]).toMatchObject({ from: 4096, to: null });
    const rest = events
      .slice(gap)
      .map((event) => ('data' in event ? new TextDecoder().decode(event.data) : ''));
    expect(rest.join('')).toContain('after');
    expect(events.at(-1)).toMatchObject({ type: 'exit', exitCode: 7 });
  });

  test('is let go of by close', async () => {
    const channel = await create();
    channel.close();
    await read(channel);
    await expect(channel.send(encode('x'))).rejects.toMatchObject({ code: 'input_not_executed' });
    const other = await openDurableChannel(connection, { id: channel.epoch }, {});
    await other.send(encode('exit 4\n'));
    expect((await read(other)).exit).toMatchObject({ exitCode: 4 });
  });
});

test.each([
  ['x', 0],
  ['x\n', 1],
  ['x\n\n', 1],
  ['x\nScr', 4],
  ['x\nScript done on 2026-11-24 [COMMAND_EXIT_CODE="5"]\n', 51],
  ['x\nScript done on\nmore', 0],
  ['x\nScript done on 1\nmore', 0],
])('of %j the footer may be the last %i bytes', (text, length) => {
  expect(footerLength(encode(text))).toBe(length);
});
