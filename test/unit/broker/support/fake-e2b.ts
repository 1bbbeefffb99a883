/** A control plane and an envd on loopback that do as they are told, and remember what reached them. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  create,
  type DescMethod,
  fromBinary,
  fromJsonString,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { encodeEnvelope } from '../../../../src/wire/envelope.js';
import { Filesystem } from '../../../../src/wire/gen/filesystem/filesystem_pb.js';
import { Process } from '../../../../src/wire/gen/process/process_pb.js';

export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface FakeSandbox {
  metadata: Record<string, string>;
  /** Default: running. */
  state?: 'running' | 'paused';
  /** Absent: it has none. */
  token?: string | null;
  startedAt?: string;
  endAt?: string;
}

export interface FakeE2B {
  url: string;
  apiKey: string;
  /** Requests to the control plane, and to envd. */
  control: Seen[];
  envd: Seen[];
  /** Live sandboxes by id, with what they were created with. */
  sandboxes: Map<string, FakeSandbox>;
  /** What `List` tells. */
  processes: { pid: number; tag?: string }[];
  /** What is in the way of paths: symlinks by path. All other paths are directories, but for those missing. */
  links: Map<string, string>;
  missing: Set<string>;
  /** Takes over a request before its body is read. */
  onRaw: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Answers a request to envd in the place of what is below. */
  onEnvd: ((seen: Seen, response: ServerResponse) => boolean) | undefined;
  onControl: ((seen: Seen, response: ServerResponse) => boolean) | undefined;
  /** Answers a request to the control plane that was held back. */
  answer(seen: Seen, response: ServerResponse): void;
  /** The requests of a procedure as messages. */
  calls(procedure: string): unknown[];
  close(): Promise<void>;
}

export const envdToken = 'envd-secret-token';
const methods: Record<string, DescMethod> = Object.fromEntries(
  [...Process.methods, ...Filesystem.methods].map((method) => [
    `${method.parent.typeName}/${method.name}`,
    method,
  ]),
);

export async function startFakeE2B(): Promise<FakeE2B> {
  let made = 0;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake.test');
    if (fake.onRaw?.(request, response)) return;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // Who sent it has gone.
      return;
    }
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    if (/^\/(v2\/)?sandboxes/.test(url.pathname)) {
      fake.control.push(seen);
      if (fake.onControl?.(seen, response)) return;
      control(seen, response);
    } else {
      fake.envd.push(seen);
      if (fake.onEnvd?.(seen, response)) return;
      envd(seen, response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const fake: FakeE2B = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    apiKey: 'e2b_0123456789abcdef',
    control: [],
    envd: [],
    sandboxes: new Map(),
    processes: [],
    links: new Map(),
    missing: new Set(),
    onRaw: undefined,
    onEnvd: undefined,
    onControl: undefined,
    answer: (seen, response) => control(seen, response),
    calls: (procedure) => {
      const method = methods[procedure] as DescMethod;
      return fake.envd.filter(({ path }) => path === `/${procedure}`).map((seen) => decode(method, seen));
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };

  function control({ method, path, query, body }: Seen, response: ServerResponse): void {
    const [, id = '', action] = /^\/(?:v2\/)?sandboxes\/?([a-z0-9]*)\/?(\w*)$/.exec(path) ?? [];
    const record = (sandboxID: string) => {
      const token = fake.sandboxes.get(sandboxID)?.token;
      return {
        sandboxID,
        templateID: 'base',
        clientID: 'x',
        envdVersion: '0.6.13',
        ...(token !== null && { envdAccessToken: token ?? envdToken }),
      };
    };
    const detail = (sandboxID: string, { token: _token, ...sandbox }: FakeSandbox) => ({
      state: 'running',
      startedAt: 's',
      endAt: 'e',
      cpuCount: 2,
      ...sandbox,
      sandboxID,
    });
    if (id === '' && method === 'GET') {
      const wanted = [...new URLSearchParams(query.get('metadata') ?? '')].map(([key, value]) => [
        decodeURIComponent(key),
        decodeURIComponent(value),
      ]) as [string, string][];
      const found = [...fake.sandboxes].filter(([, { metadata }]) =>
        wanted.every(([key, value]) => metadata[key] === value),
      );
      json(
        response,
        200,
        found.map(([sandboxId, sandbox]) => detail(sandboxId, sandbox)),
      );
      return;
    }
    if (id === '') {
      const { metadata = {} } = JSON.parse(body.toString()) as { metadata?: Record<string, string> };
      const sandboxId = `i${++made}`;
      fake.sandboxes.set(sandboxId, {
        metadata,
        startedAt: `2026-01-01T00:00:${String(made).padStart(2, '0')}Z`,
      });
      json(response, 201, record(sandboxId));
      return;
    }
    const sandbox = fake.sandboxes.get(id);
    if (!sandbox || (sandbox.state === 'paused' && action === 'refreshes')) {
      json(response, 404, { code: 404, message: `sandbox "${id}" not found` });
      return;
    }
    if (method === 'DELETE') {
      fake.sandboxes.delete(id);
      response.writeHead(204).end();
    } else if (action === 'refreshes' || action === 'timeout') response.writeHead(204).end();
    else if (action === 'pause') {
      const wasPaused = sandbox.state === 'paused';
      sandbox.state = 'paused';
      if (wasPaused) json(response, 409, { code: 409, message: 'already paused' });
      else response.writeHead(204).end();
    } else if (action === 'metrics') json(response, 200, [{ cpuUsedPct: 7 }]);
    else if (action === 'connect') {
      const wasPaused = sandbox.state === 'paused';
      sandbox.state = 'running';
      json(response, wasPaused ? 201 : 200, record(id));
    } else json(response, 200, { ...record(id), ...detail(id, sandbox) });
  }

  function envd(seen: Seen, response: ServerResponse): void {
    const id = String(seen.headers['e2b-sandbox-id']);
    if ((fake.sandboxes.get(id)?.state ?? (fake.sandboxes.has(id) ? 'running' : 'gone')) !== 'running') {
      json(response, 502, { sandboxId: id, message: 'The sandbox was not found', code: 502 });
      return;
    }
    const method = methods[seen.path.slice(1)];
    if (!method) {
      if (seen.path === '/health') {
        response.writeHead(204).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'a=b', 'x-internal': 'yes' });
      response.end('<script>content</script>');
      return;
    }
    const type = String(seen.headers['content-type']);
    const message = decode(method, seen) as { path?: string };
    if (seen.path === '/filesystem.Filesystem/Stat' && fake.missing.has(message.path ?? '')) {
      json(response, 404, { code: 'not_found', message: 'file not found' });
      return;
    }
    const answer = create(method.output, answerTo(seen.path, message) as never);
    const bytes = type.endsWith('proto')
      ? toBinary(method.output, answer)
      : new TextEncoder().encode(toJsonString(method.output, answer));
    response.writeHead(200, { 'content-type': type });
    if (method.methodKind === 'unary') {
      response.end(bytes);
      return;
    }
    response.write(encodeEnvelope(0, bytes));
    response.end(encodeEnvelope(2, new TextEncoder().encode('{}')));
  }

  function answerTo(path: string, { path: file = '' }: { path?: string }): unknown {
    if (path === '/process.Process/List') {
      return { processes: fake.processes.map((process) => ({ ...process, config: { cmd: 'x' } })) };
    }
    if (path === '/filesystem.Filesystem/Stat') {
      const symlinkTarget = fake.links.get(file);
      return {
        entry: {
          path: file === '~' || file === '' ? '/home/user' : file,
          ...(symlinkTarget && { symlinkTarget }),
        },
      };
    }
    if (/Start|Connect/.test(path)) return { event: { event: { case: 'start', value: { pid: 7 } } } };
    return {};
  }
  return fake;
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function decode(method: DescMethod, { headers, body }: Seen): unknown {
  const type = String(headers['content-type']);
  const bytes = type.includes('connect+') ? body.subarray(5) : body;
  return type.endsWith('proto')
    ? fromBinary(method.input, bytes)
    : fromJsonString(method.input, bytes.toString());
}
