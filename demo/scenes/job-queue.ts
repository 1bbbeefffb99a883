/**
 * Jobs that are worked off by a pool. A job that fails has failed; what is tried again, in another sandbox, is one whose
 * sandbox failed.
 */

import { CommandExitError, createSandboxPool, isE2BEdgeError, mapConcurrent, Sandbox } from 'e2b-edge';

interface Job {
  name: string;
  script: string;
}

const maxAttempts = 3;

const jobs: Job[] = [
  { name: 'sum', script: 'print(sum(range(101)))' },
  { name: 'typo', script: 'prnt("hello")' },
  { name: 'endless', script: 'while True: pass' },
  { name: 'unlucky', script: 'import time; time.sleep(0.5); print("done after all")' },
  { name: 'words', script: 'print(len("a queue of jobs".split()))' },
];

const pool = createSandboxPool({ min: 1, max: 2, create: () => Sandbox.create({ timeoutMs: 60_000 }) });

const reports = await mapConcurrent(jobs, { concurrency: 2 }, work);
for (const report of reports) console.log(report);
await pool.drain();

async function work(job: Job): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const output = await pool.use((sandbox) => runIn(sandbox, job, attempt));
      return `${job.name}: ${output} (attempt ${attempt})`;
    } catch (error) {
      if (isJobsOwn(error)) return `${job.name}: failed, ${error.name} (attempt ${attempt})`;
      if (attempt === maxAttempts) throw error;
      console.log(`${job.name}: its sandbox failed, once more`);
    }
  }
}

async function runIn(sandbox: Sandbox, { name, script }: Job, attempt: number): Promise<string> {
  await sandbox.files.write('job.py', script);
  const [result] = await Promise.all([
    sandbox.commands.run('python3 job.py', { timeoutMs: 2_000 }),
    // So that there is something to see: the machine under this one breaks down.
    name === 'unlucky' && attempt === 1 && sandbox.kill(),
  ]);
  return result.stdout.trim();
}

/** Whether the job itself is to blame: its program failed, or took too long. It would again. */
function isJobsOwn(error: unknown): error is Error {
  return error instanceof CommandExitError || isE2BEdgeError(error, 'command_timeout');
}
