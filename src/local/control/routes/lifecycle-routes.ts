import { readJson } from '../../http/read-json.js';
import { ApiError, replyJson } from '../../http/replies.js';
import { createDefaults } from '../requests/create-request.js';
import {
  isAbsent,
  longestTimeoutSeconds,
  parseBoolean,
  parseObject,
  parseTimeout,
  parseWhole,
} from '../requests/fields.js';
import { notFound, type Sandbox } from '../sandbox.js';
import { summaryOf } from '../sandbox-json.js';
import { type Action, findRunning, findSandbox, noContent, type Route, sandboxIdOf } from './route.js';

const leastRefreshSeconds = 15;
const mostRefreshSeconds = 3600;

const pause: Action = async (call) => {
  const { memory } = parseObject(await readJson(call.request), 'body');
  const keepMemory = parseBoolean(memory, 'memory') ?? true;
  await findSandbox(call).pause(keepMemory);
  noContent(call.response);
};

const resume: Action = async (call) => {
  const body = parseObject(await readJson(call.request), 'body');
  const timeout = parseTimeout(body.timeout ?? createDefaults.v1.timeoutSeconds, 'timeout', 1);
  const keepMemory = parseBoolean(body.memory, 'memory') ?? true;
  const sandbox = findSandbox(call);
  if (sandbox.state === 'pausing') await sandbox.settled();
  if (sandbox.state === 'killing') throw notFound(sandbox.id);
  if (sandbox.state !== 'paused') throw new ApiError(409, `Sandbox ${sandbox.id} is already running`);
  await sandbox.resume(timeout, keepMemory);
  replyJson(call.response, 201, summaryOf(sandbox));
};

const connect =
  (version: 'v1' | 'v2'): Action =>
  async (call) => {
    const body = parseObject(await readJson(call.request), 'body');
    if (version === 'v1' && isAbsent(body.timeout)) throw new ApiError(400, 'timeout is required');
    const timeout = parseTimeout(body.timeout ?? createDefaults.v2.timeoutSeconds, 'timeout', 0);
    const keepMemory = parseBoolean(body.memory, 'memory') ?? true;
    const sandboxId = sandboxIdOf(call.id);
    const sandbox = call.sandboxes.find(sandboxId);
    if (!sandbox) throw notFound(sandboxId);
    const resumed = await connectTo(sandbox, timeout, keepMemory);
    replyJson(call.response, resumed ? 201 : 200, summaryOf(sandbox));
  };

/** Whether it had to be resumed. */
async function connectTo(sandbox: Sandbox, timeoutSeconds: number, keepMemory: boolean): Promise<boolean> {
  for (;;) {
    switch (sandbox.state) {
      case 'running':
        sandbox.extendTo(timeoutSeconds);
        return false;
      case 'paused':
        if (timeoutSeconds === 0) throw new ApiError(400, 'timeout must be at least 1 to resume a sandbox');
        await sandbox.resume(timeoutSeconds, keepMemory);
        return true;
      case 'killing':
        throw new ApiError(409, `Sandbox "${sandbox.id}" is being killed`);
      default:
        await sandbox.settled();
    }
  }
}

const setTimeoutOf: Action = async (call) => {
  const { timeout } = parseObject(await readJson(call.request), 'body');
  const asked = parseWhole(timeout, 'timeout is required and must be a whole number of seconds');
  const sandbox = findRunning(call);
  if (asked > 0) sandbox.endIn(Math.min(asked, longestTimeoutSeconds));
  else await sandbox.expire();
  noContent(call.response);
};

const refresh: Action = async (call) => {
  const { duration } = parseObject(await readJson(call.request), 'body');
  const asked = parseTimeout(duration ?? leastRefreshSeconds, 'duration', 0);
  if (asked > mostRefreshSeconds) throw new ApiError(400, `duration must be at most ${mostRefreshSeconds}`);
  findRunning(call).extendTo(Math.max(asked, leastRefreshSeconds));
  noContent(call.response);
};

export const lifecycleRoutes: readonly Route[] = [
  ['POST', /^\/sandboxes\/([^/]+)\/pause$/, pause],
  ['POST', /^\/sandboxes\/([^/]+)\/resume$/, resume],
  ['POST', /^\/sandboxes\/([^/]+)\/connect$/, connect('v1')],
  ['POST', /^\/v2\/sandboxes\/([^/]+)\/connect$/, connect('v2')],
  ['POST', /^\/sandboxes\/([^/]+)\/timeout$/, setTimeoutOf],
  ['POST', /^\/sandboxes\/([^/]+)\/refreshes$/, refresh],
];
