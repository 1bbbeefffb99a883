import { Sandbox } from '../../control/sandbox.js';
import type { SandboxInfo } from '../../control/sandbox-info.js';
import { type Command, parse, printJson } from './command.js';
import { findConnection } from './connection.js';

const help = `Usage: e2b-edge list [options]

Lists the sandboxes, the youngest first.

Options:
  --json   print one line of JSON: an array of what is known of each

Examples:
  e2b-edge list
  e2b-edge list --json | jq -r '.[].sandboxId'
`;

export const list: Command = {
  summary: 'list the sandboxes',
  help,
  async run(args) {
    const { values } = parse({ args: [...args], options: { json: { type: 'boolean' } } });
    const sandboxes = await allSandboxes();
    if (values.json) printJson(sandboxes);
    else process.stdout.write(table(sandboxes));
    return 0;
  },
};

export async function allSandboxes(): Promise<SandboxInfo[]> {
  const pages = Sandbox.list(await findConnection());
  const all: SandboxInfo[] = [];
  while (pages.hasNext) all.push(...(await pages.nextItems()));
  return all;
}

function table(sandboxes: readonly SandboxInfo[]): string {
  const rows = sandboxes.map(({ sandboxId, name, templateId, state, startedAt, endAt }) => [
    sandboxId,
    name ?? templateId,
    state,
    timeOf(startedAt),
    timeOf(endAt),
  ]);
  const all = [['SANDBOX', 'TEMPLATE', 'STATE', 'STARTED', 'ENDS'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function timeOf(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
