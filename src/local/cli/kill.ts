import { Sandbox } from '../../control/sandbox.js';
import { type Command, parse, printJson, say, UsageError } from './command.js';
import { findConnection } from './connection.js';
import { allSandboxes } from './list.js';

const help = `Usage: e2b-edge kill ID...
       e2b-edge kill --all

Ends sandboxes with everything in them, paused ones too. Exits with 1 when one of them is not there.

Options:
  --all    all of them
  --json   print one line of JSON: {"killed":[…],"missing":[…]}

Examples:
  e2b-edge kill i0h3m5x8k2q9w7e4r6t1
  e2b-edge kill --all
`;

const options = { all: { type: 'boolean' }, json: { type: 'boolean' } } as const;

export const kill: Command = {
  summary: 'end sandboxes',
  help,
  async run(args) {
    const { values, positionals } = parse({ args: [...args], options, allowPositionals: true });
    if (values.all && positionals.length > 0) throw new UsageError('give ids or --all, not both');
    if (!values.all && positionals.length === 0)
      throw new UsageError('no id given; --all ends all sandboxes');
    const ids = values.all ? (await allSandboxes()).map(({ sandboxId }) => sandboxId) : positionals;
    const connection = await findConnection();
    const killed: string[] = [];
    const missing: string[] = [];
    for (const id of ids) ((await Sandbox.kill(id, connection)) ? killed : missing).push(id);
    if (values.json) {
      printJson({ killed, missing });
    } else {
      for (const id of killed) process.stdout.write(`${id}\n`);
      for (const id of missing) say(`there is no sandbox ${id}`);
    }
    // Of all, one may have ended by itself meanwhile.
    return missing.length === 0 || values.all ? 0 : 1;
  },
};
