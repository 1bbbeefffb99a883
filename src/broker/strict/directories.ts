/** What a page does to the tree of files in strict mode: each is a short program. */

import type {
  ListDirRequest,
  ListDirResponse,
  MakeDirResponse,
  MoveRequest,
  MoveResponse,
  RemoveResponse,
  StatResponse,
} from '../../wire/messages/filesystem.js';
import { httpRefusal } from '../refusals.js';
import { readEntries } from './entries.js';
import { startHelper } from './helper.js';
import { directoryOf, grantedPrefixes, placeOf } from './place.js';
import { programError } from './program-error.js';
import {
  listProgram,
  makeDirProgram,
  moveProgram,
  ProgramExit,
  removeProgram,
  statProgram,
} from './programs.js';
import type { StrictCall } from './strict-call.js';

const timeoutMs = 600_000;
/** `find` lists nothing for what is no `int`. */
const maxDepth = 2 ** 31 - 1;
/** Of what a program tells: some 100 000 entries. */
const maxOutputBytes = 16 * 1024 * 1024;

export async function statStrictly(call: StrictCall, { path }: { path: string }): Promise<StatResponse> {
  const place = placeOf(path, grantedPrefixes(call.grant, 'read'));
  return entryAnswer(await run(call, statProgram, place, path), path);
}

export async function listStrictly(
  call: StrictCall,
  { path, depth }: ListDirRequest,
): Promise<ListDirResponse> {
  const place = directoryOf(path, grantedPrefixes(call.grant, 'read'));
  const levels = String(Math.min(depth || 1, maxDepth));
  return { entries: readEntries(await run(call, listProgram, [levels, ...place], path), path) };
}

export async function makeDirStrictly(
  call: StrictCall,
  { path }: { path: string },
): Promise<MakeDirResponse> {
  const place = placeOf(path, grantedPrefixes(call.grant, 'write'));
  return entryAnswer(await run(call, makeDirProgram, place, path), path);
}

export async function removeStrictly(call: StrictCall, { path }: { path: string }): Promise<RemoveResponse> {
  const place = placeOf(path, grantedPrefixes(call.grant, 'write'));
  // Nothing to remove is as good as removed.
  await run(call, removeProgram, place, path, [ProgramExit.notFound]);
  return {};
}

export async function moveStrictly(
  call: StrictCall,
  { source, destination }: MoveRequest,
): Promise<MoveResponse> {
  const places = [
    ...placeOf(source, grantedPrefixes(call.grant, 'read', 'write')),
    ...placeOf(destination, grantedPrefixes(call.grant, 'write')),
  ];
  return entryAnswer(await run(call, moveProgram, places, source), destination);
}

function entryAnswer(output: Uint8Array, path: string): StatResponse {
  const [entry] = readEntries(output, path);
  // It went while it was looked at.
  if (!entry) throw programError({ code: ProgramExit.notFound, words: '' }, path, 'rpc');
  return { entry };
}

/** Runs a program to its end, and gives what it told. */
async function run(
  { upstream, signal }: StrictCall,
  program: string,
  args: readonly string[],
  path: string,
  fine: readonly number[] = [],
): Promise<Uint8Array> {
  const helper = await startHelper(upstream, { program, args, timeoutMs, signal });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const chunk = await helper.read();
    if (!chunk) break;
    size += chunk.length;
    if (size > maxOutputBytes) {
      await helper.kill();
      throw httpRefusal(400, 'out_of_range', 'There are too many entries to be listed at once.');
    }
    chunks.push(chunk);
  }
  const exit = helper.exit();
  if (exit.code !== 0 && !fine.includes(exit.code)) throw programError(exit, path, 'rpc');
  const output = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    output.set(chunk, offset);
    offset += chunk.length;
  }
  return output;
}
