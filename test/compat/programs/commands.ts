import { CommandExitError, Sandbox } from 'e2b';

const sandbox = await Sandbox.create({ timeoutMs: 60_000, envs: { FROM: 'sandbox' } });

const pieces: string[] = [];
const result = await sandbox.commands.run('echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three', {
  onStdout: (data) => void pieces.push(`out ${data}`),
  onStderr: async (data) => void pieces.push(`err ${data}`),
});
console.log(result.stdout, result.stderr, result.exitCode, result.error);
console.log(pieces);

const where = await sandbox.commands.run('echo "$FROM $MORE $(pwd) $(whoami)"', {
  cwd: '/tmp',
  envs: { MORE: 'call' },
  user: 'root',
});
console.log(where.stdout);

try {
  await sandbox.commands.run('echo said; echo complained >&2; exit 7');
} catch (error) {
  if (!(error instanceof CommandExitError)) throw error;
  const { name, exitCode, stdout, stderr } = error;
  console.log({ name, exitCode, stdout, stderr, error: error.error });
}
console.log((await sandbox.commands.run('printf "ü€😀"')).stdout);
await sandbox.kill();
