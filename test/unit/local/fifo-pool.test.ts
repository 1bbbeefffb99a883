import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FifoPool } from '../../../src/local/envd/process/fifo-pool.js';

test('a pool makes its own directory again, but not the sandbox that it was in', async () => {
  const root = mkdtempSync(join(tmpdir(), 'fifo-pool-'));
  const pipes = join(root, 'envd');
  const pool = new FifoPool(pipes);
  await pool.fill();
  rmSync(pipes, { recursive: true });
  await pool.fill();
  expect(readdirSync(pipes)).not.toEqual([]);
  rmSync(root, { recursive: true });
  await expect(pool.fill()).rejects.toThrow('ENOENT');
  expect(existsSync(root)).toBe(false);
});
