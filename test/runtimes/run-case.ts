/** Runs one case inside a runtime. Bundled into workerd and Chromium, so nothing of Node is imported. */

import type { Case, Entries, Runtime, StageEnv } from '../suites/case.js';
import { suites } from '../suites/index.js';
import { CallRecorder } from './call-recorder.js';
import { createContext } from './context.js';
import type { CaseId, CaseResult } from './define.js';

const recorder = new CallRecorder();

export async function runCase(
  runtime: Runtime,
  entries: Entries,
  env: StageEnv,
  id: CaseId,
): Promise<CaseResult> {
  const { context, cleanUp } = createContext(runtime, watched(entries), env, id.via);
  recorder.take();
  try {
    await find(id).run(context);
    return { calls: recorder.take() };
  } catch (error) {
    const message = describe(error);
    return { calls: recorder.take(), failure: { message, stack: `${message}\n${frames(error)}` } };
  } finally {
    await cleanUp();
  }
}

function watched(entries: Entries): Entries {
  return {
    ...entries,
    edge: recorder.watchEntry(entries.edge),
    browser: recorder.watchEntry(entries.browser),
  };
}

function find(id: CaseId): Case {
  const found = suites.find(({ name }) => name === id.suite)?.cases.find(({ name }) => name === id.name);
  if (!found) throw new Error(`No case "${id.name}" in "${id.suite}".`);
  return found;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const code = 'code' in error ? ` [${String(error.code)}]` : '';
  const cause = error.cause === undefined ? '' : `\nbecause of ${describe(error.cause)}`;
  return `${error.name}${code}: ${error.message}${cause}`;
}

function frames(error: unknown): string {
  const lines = error instanceof Error ? (error.stack ?? '').split('\n') : [];
  return lines.filter((line) => line.startsWith('    at ')).join('\n');
}
