import { create, type DescMethod, toBinary, toJsonString } from '@bufbuild/protobuf';
import { encodeEnvelope, endStreamFlag } from '../../../src/wire/envelope.js';
import type { StatRequest } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import type { StartRequest } from '../../../src/wire/gen/process/process_pb.js';
import { commandOf } from '../law/commands.js';
import { type Arrived, messageOf, procedureOf } from './arrived.js';
import { placeMarker, processMarker } from './markers.js';
import { upstreamSecret } from './secrets.js';
import { placesOf, runStrictly } from './strict-programs.js';
import { expand, locate, tree } from './tree.js';
import type { World } from './world.js';

/** envd, in a sandbox that lives: whoever has its token may do everything. */
export function answerEnvd(world: World, arrived: Arrived, sandboxId: string): Response {
  const method = procedureOf(arrived);
  // All of it was taken.
  if (method?.name === 'StreamInput') return envelopes('application/connect+proto', []);
  if (method) return answerCall(world, arrived, method, sandboxId);
  if (arrived.url.pathname === '/files') return answerFile(arrived);
  if (arrived.url.pathname === '/health') return new Response(null, { status: 204 });
  return Response.json({ inside: upstreamSecret });
}

function answerFile({ method, url, headers }: Arrived): Response {
  const path = expand(url.searchParams.get('path') ?? '', userOf(headers));
  if (method === 'POST') return Response.json([{ path, name: 'x', type: 'file' }]);
  const place = locate(path, true);
  if (place === undefined || !tree.has(place))
    return Response.json({ code: 404, message: 'none' }, { status: 404 });
  return new Response(placeMarker(place), {
    headers: { 'content-type': 'text/html', 'set-cookie': upstreamSecret },
  });
}

function answerCall(world: World, arrived: Arrived, method: DescMethod, sandboxId: string): Response {
  const type = arrived.headers.get('content-type') ?? '';
  let message: unknown;
  try {
    message = messageOf(arrived, method);
  } catch {
    // The law finds it as well, and says why.
    return Response.json({ code: 'invalid_argument', message: 'no message' }, { status: 400 });
  }
  const user = userOf(arrived.headers);
  const strict = method.name === 'Start' && answerStrictly(world, message as StartRequest, sandboxId);
  if (strict)
    return envelopes(
      type,
      strict.map((event) => toBinary(method.output, create(method.output, event as never))),
    );
  const value = answerTo(world, method.name, message, user, sandboxId);
  if (!value) return Response.json({ code: 'not_found', message: 'not found' }, { status: 404 });
  const output = create(method.output, value as never);
  const bytes = type.endsWith('proto')
    ? toBinary(method.output, output)
    : new TextEncoder().encode(toJsonString(method.output, output));
  const headers = { 'content-type': type, 'set-cookie': upstreamSecret };
  if (method.methodKind === 'unary') return new Response(bytes as Uint8Array<ArrayBuffer>, { headers });
  return envelopes(type, [bytes]);
}

function envelopes(type: string, messages: readonly Uint8Array[]): Response {
  const end = encodeEnvelope(endStreamFlag, new TextEncoder().encode('{}'));
  const body = Buffer.concat([...messages.map((bytes) => encodeEnvelope(0, bytes)), end]);
  return new Response(body, { headers: { 'content-type': type, 'set-cookie': upstreamSecret } });
}

/** What a program of strict mode does, from its beginning to its end; undefined for any other. */
function answerStrictly(world: World, { process }: StartRequest, sandboxId: string): object[] | undefined {
  const { cmd, args = [] } = process ?? {};
  const operation = world.strictPrograms.get(args[1] ?? '');
  if (cmd !== '/bin/sh' || !operation) return undefined;
  const pid = 100 + world.programs.length;
  world.programs.push({ pid, sandboxId, tag: undefined, startedAs: 'strict', owner: undefined });
  const found = placesOf(args.slice(3)).map((place) => runStrictly(operation, place));
  const [place = 79] = found;
  const code = found.find((one) => typeof one === 'number') ?? 0;
  // What is made anew tells nothing that was there.
  const isRead = operation === 'stat' || operation === 'list' || operation === 'read';
  const marker = isRead && typeof place === 'string' ? placeMarker(place) : '';
  const told =
    operation === 'write'
      ? '\n'
      : operation === 'read'
        ? `${marker.length} 1 0 ${marker.length}\n${marker}`
        : operation === 'remove'
          ? ''
          : ['e', 'f', 'f', '644', '1', '1.5', marker, 'user', '', ''].join('\0');
  const stdout = { output: { case: 'stdout', value: new TextEncoder().encode(told) } };
  const events = [
    { case: 'start', value: { pid } },
    ...(code === 0 && told !== '' ? [{ case: 'data', value: stdout }] : []),
    { case: 'end', value: { exitCode: code, exited: true, status: `exit status ${code}` } },
  ];
  return events.map((event) => ({ event: { event } }));
}

/** What a procedure answers; undefined for what is not found. */
function answerTo(
  world: World,
  name: string,
  message: unknown,
  user: string | undefined,
  sandboxId: string,
): Record<string, unknown> | undefined {
  switch (name) {
    case 'List':
      return {
        processes: world.programs
          .filter((program) => program.sandboxId === sandboxId)
          .map(({ pid, tag }) => ({
            pid,
            config: { cmd: processMarker(pid) },
            ...(tag !== undefined && { tag }),
          })),
      };
    case 'Start': {
      const { tag, pty, process } = message as StartRequest;
      const pid = 100 + world.programs.length;
      const { actor } = world;
      const { args = [], envs = {}, cwd = '' } = process ?? {};
      const command = commandOf({ command: args[2] ?? '', envs, cwd });
      const startedAs = pty ? 'pty' : actor?.grant.commands === 'run' ? 'run' : { command };
      const owner = actor && { subject: actor.owner, user: actor.grant.user };
      world.programs.push({ pid, sandboxId, tag, startedAs, owner });
      return { event: { event: { case: 'start', value: { pid } } } };
    }
    case 'Connect': {
      const { selector } = (message as { process: { selector: { value?: unknown } } }).process;
      const stdout = new TextEncoder().encode(processMarker(Number(selector.value)));
      return { event: { event: { case: 'data', value: { output: { case: 'stdout', value: stdout } } } } };
    }
    case 'Stat':
      return statOf((message as StatRequest).path, user);
    case 'ListDir':
      return { entries: [statOf((message as StatRequest).path, user, true)?.entry ?? {}] };
    default:
      return {};
  }
}

function statOf(asked: string, user: string | undefined, follows = false): { entry: object } | undefined {
  const path = expand(asked, user);
  const place = locate(path, follows);
  const entry = place === undefined ? undefined : tree.get(place);
  if (!entry || place === undefined) return undefined;
  const target = typeof entry === 'object' ? locate(path, true) : undefined;
  const symlinkTarget = typeof entry === 'object' && (target && tree.has(target) ? target : path);
  return { entry: { path, owner: placeMarker(place), ...(symlinkTarget && { symlinkTarget }) } };
}

function userOf(headers: ReadonlyMap<string, string>): string | undefined {
  const [, basic] = /^Basic (.*)$/.exec(headers.get('authorization') ?? '') ?? [];
  return basic === undefined ? undefined : atob(basic).replace(/:$/, '');
}
