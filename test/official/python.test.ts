import { beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '../unit/local/support/server.js';
import { type Checked, installPythonSdk, runEveryMethod } from './python.js';

const checks = [
  'create_list_and_get_info',
  'connect',
  'set_timeout_and_is_running',
  'pause_and_resume',
  'pause_at_the_end_time_and_resume_by_traffic',
  'fork',
  'snapshots',
  'get_metrics',
  'update_network',
  'hosts_and_mcp',
  'signed_urls',
  'run',
  'stdin_and_connect',
  'streamed_input',
  'kill_and_disconnect',
  'terminal',
  'write_and_read',
  'metadata_and_users',
  'entries',
  'watch',
  'no_method_of_the_sdk_was_left_out',
];

const missing = installPythonSdk();
if (missing !== undefined) console.warn(`Python's e2b is not tested: ${missing}`);

describe.skipIf(missing !== undefined)(
  `AsyncSandbox of Python's e2b${missing ? ` (${missing})` : ''}`,
  () => {
    let results: Checked[] = [];

    beforeAll(async () => {
      results = await runEveryMethod(await startServer());
    }, 300_000);

    test('runs the checks that are listed here', () => {
      expect(results.map(({ name }) => name)).toEqual(checks);
    });

    test.each(checks)('%s', (name) => {
      expect(results.find((one) => one.name === name)).toEqual({ name });
    });
  },
);
