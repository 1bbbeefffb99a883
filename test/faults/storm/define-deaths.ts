/** What is behind the relay, or the relay itself, dies in mid-flood: what cannot be kept is declared. */

import { Sandbox as KeySandbox, type SandboxLifecycle } from 'e2b-edge';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openSocketChannel } from '../../../src/channel/socket-channel.js';
import { BrokerStage } from '../../broker/broker-stage.js';
import type { HostName } from '../../broker/start-host.js';
import { Reader } from '../support/reader.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { findNumbers, numberedLines } from './numbered-lines.js';

const size = { cols: 80, rows: 24 };
const portOf = (url: string) => Number(new URL(url).port);

export function defineDeaths(runtime: HostName): void {
  const stage = new BrokerStage(runtime);
  beforeAll(() => stage.start());
  afterAll(() => stage.close());

  /** A terminal whose program floods; `type` types one line and keeps what became of it. */
  async function flood(configuration: 'default' | 'observed', durable = false, lifecycle?: SandboxLifecycle) {
    const { apiKey, apiUrl, sandboxUrl } = stage.local;
    const sandbox = await KeySandbox.create('base', {
      apiKey,
      apiUrl,
      sandboxUrl,
      ...(lifecycle && { lifecycle }),
    });
    await sandbox.files.write('flood.sh', numberedLines);
    await sandbox.files.write('typed', '');
    const session = await stage.at(configuration).session({ sandbox: { id: sandbox.sandboxId } });
    const proxy = await TcpProxy.listen(portOf(stage.host.url));
    const url = new URL(session.urls.pty);
    url.port = String(proxy.port);
    const channel = await openSocketChannel({
      url: url.href,
      token: () => session.token,
      target: { create: { size, durable } },
      size,
      heldInputMs: 60_000,
      WebSocket,
    });
    channel.onStatus(({ state }) => {
      if (state === 'reconnecting') setTimeout(() => channel.reconnect(), 20);
    });
    const reader = new Reader(channel);
    const send = (text: string) => channel.send(new TextEncoder().encode(text));
    const fates = new Map<string, string>();
    const type = async (line: string) => {
      await send(`${line}\n`).then(
        () => fates.set(line, 'executed'),
        (error: { code?: string }) => fates.set(line, String(error.code)),
      );
    };
    await send('exec bash ~/flood.sh\n');
    await reader.until(() => reader.text.includes('\u0002ready\u0003'));
    const grown = async () => {
      const { length } = reader;
      await reader.until(() => reader.length > length + 2_000);
    };

    /** Ends the program, and holds what it saw against what the client was told. */
    const finish = async () => {
      await grown();
      await send('end\n');
      await reader.done;
      const typed = (await sandbox.files.read('typed')).split('\n').filter((line) => line !== '');
      expect(reader.error).toBeUndefined();
      expect(reader.events.at(-1)).toMatchObject({ type: 'exit', exitCode: 7 });
      expect(new Set(typed).size).toBe(typed.length);
      for (const [line, fate] of fates) {
        const times = typed.filter((one) => one === line).length;
        if (fate === 'executed') expect([line, times]).toEqual([line, 1]);
        else if (fate === 'input_not_executed') expect([line, times]).toEqual([line, 0]);
        else expect([line, fate]).toEqual([line, 'input_uncertain']);
      }
      const numbers = findNumbers(reader.events);
      expect(numbers).toMatchObject({ doubled: [], missing: [] });
      expect(reader.text).toContain(`last ${String(numbers.last).padStart(8, '0')}\n`);
      await proxy.close();
      await sandbox.kill();
      return { numbers, fates, typed };
    };
    return { sandbox, proxy, channel, reader, type, grown, finish };
  }

  it('declares a gap where the stream of envd was cut, and loses no input', { timeout: 60_000 }, async () => {
    const { sandbox, reader, type, grown, finish } = await flood('observed');
    const typing: Promise<void>[] = [];
    for (let cut = 1; cut <= 4; cut++) {
      await grown();
      const ofProcess = cut === 1 ? '/process.Process/Start' : '/process.Process/Connect';
      for (let word = 0; word < 5; word++) typing.push(type(`${cut}-${word}`));
      stage.observer.cut(sandbox.sandboxId, ofProcess);
      await reader.until(() => reader.events.filter((event) => event.type === 'gap').length === cut);
    }
    await Promise.all(typing);
    const { numbers, fates } = await finish();
    expect(numbers.gaps).toBe(4);
    expect([...fates.values()]).toEqual(Array.from({ length: 20 }, () => 'executed'));
  });

  it('reports input as uncertain whose answer of envd was lost, and never sends it twice', {
    timeout: 60_000,
  }, async () => {
    const { sandbox, type, finish } = await flood('observed');
    const { sandboxId } = sandbox;
    await type('before');
    stage.observer.spoil({
      sandboxId,
      path: '/process.Process/SendInput',
      times: 1,
      status: 0,
      retryAfter: undefined,
    });
    await type('unanswered');
    await type('after');
    const { fates, typed } = await finish();
    expect(Object.fromEntries(fates)).toEqual({
      before: 'executed',
      unanswered: 'input_uncertain',
      after: 'executed',
    });
    // envd had taken it.
    expect(typed).toEqual(['before', 'unanswered', 'after']);
  });

  it('declares a gap where the relay was killed, and its input in flight as uncertain', {
    timeout: 60_000,
  }, async () => {
    const { proxy, channel, reader, type, grown, finish } = await flood('default');
    const epochs = new Set([channel.epoch]);
    for (let death = 1; death <= 3; death++) {
      await grown();
      const typing = Array.from({ length: 20 }, (_, word) => type(`${death}-${word}`));
      const killed = stage.killHost();
      proxy.cutAll();
      await killed;
      proxy.retarget(portOf(stage.host.url));
      await reader.until(() => reader.events.filter((event) => event.type === 'gap').length === death);
      await Promise.all(typing);
      epochs.add(channel.epoch);
    }
    const { numbers } = await finish();
    expect(numbers.gaps).toBe(3);
    expect(epochs.size).toBe(4);
    expect(reader.events.filter((event) => event.type === 'gap')).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ to: null })),
    );
  });

  it('loses nothing of a durable terminal whose readers are cut off, and no input', {
    timeout: 60_000,
  }, async () => {
    const { sandbox, reader, type, grown, finish } = await flood('observed', true);
    const typing: Promise<void>[] = [];
    for (let cut = 1; cut <= 4; cut++) {
      await grown();
      for (let word = 0; word < 5; word++) typing.push(type(`${cut}-${word}`));
      stage.observer.cut(sandbox.sandboxId, '/process.Process/Start');
    }
    await Promise.all(typing);
    const { numbers, fates } = await finish();
    expect(numbers).toMatchObject({ gaps: 0, missing: [], doubled: [] });
    expect(reader.events.filter(({ type: kind }) => kind === 'gap')).toEqual([]);
    expect([...fates.values()]).toEqual(Array.from({ length: 20 }, () => 'executed'));
  });

  it('loses nothing of a durable terminal whose relay is killed again and again', {
    timeout: 60_000,
  }, async () => {
    const { proxy, channel, reader, type, grown, finish } = await flood('default', true);
    const { epoch } = channel;
    for (let death = 1; death <= 3; death++) {
      await grown();
      const typing = Array.from({ length: 20 }, (_, word) => type(`${death}-${word}`));
      const killed = stage.killHost();
      proxy.cutAll();
      await killed;
      proxy.retarget(portOf(stage.host.url));
      await grown();
      await Promise.all(typing);
    }
    const { numbers } = await finish();
    expect(numbers).toMatchObject({ gaps: 0, missing: [], doubled: [] });
    expect(reader.events.filter(({ type: kind }) => kind === 'gap')).toEqual([]);
    expect([channel.durable, channel.epoch]).toEqual([true, epoch]);
  });

  it.each([
    ['plain', false],
    ['durable', true],
  ])(
    'does not wake a sandbox that was paused, and is back once it is resumed (%s)',
    {
      timeout: 60_000,
    },
    async (_, durable) => {
      const { sandbox, channel, reader, type, grown, finish } = await flood('default', durable, {
        onTimeout: 'pause',
        autoResume: true,
      });
      await sandbox.pause();
      const codes = new Set<string | undefined>();
      let attempts = 0;
      const waited = new Promise<void>((resolve) => {
        channel.onStatus((status) => {
          if (status.state !== 'reconnecting') return;
          attempts++;
          codes.add((status.error as { code?: string } | undefined)?.code);
          if (attempts >= 10) resolve();
        });
      });
      await waited;
      expect((await sandbox.getInfo()).state).toBe('paused');
      expect(codes).toContain('sandbox_paused');
      await sandbox.connect();
      await grown();
      await type('after');
      const { fates } = await finish();
      expect(fates.get('after')).toBe('executed');
      expect(reader.events.filter((event) => event.type === 'gap')).toHaveLength(durable ? 0 : 1);
    },
  );
}
