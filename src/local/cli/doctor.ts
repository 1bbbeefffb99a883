import { describeHost, type HostReport } from '../machine/host-report.js';
import { type Command, parse, printJson } from './command.js';

const help = `Usage: e2b-edge doctor [options]

Says what this machine gives to local sandboxes, why not more, and how to get it. Starts a sandbox to find out. Exits
with 1 when sandboxes cannot be isolated here.

Options:
  --json   print one line of JSON: {"isolation":…,"items":[{"name":…,"ok":…,"detail":…,"advice":…}]}

Examples:
  e2b-edge doctor
  e2b-edge doctor --json | jq '.items[] | select(.ok | not)'
`;

export const doctor: Command = {
  summary: 'say what isolation this machine gives, and how to get more',
  help,
  async run(args) {
    const { values } = parse({ args: [...args], options: { json: { type: 'boolean' } } });
    const report = await describeHost();
    if (values.json) printJson(report);
    else process.stdout.write(textOf(report));
    return report.isolation === 'none' ? 1 : 0;
  },
};

function textOf({ isolation, items }: HostReport): string {
  const lines = items.flatMap(({ name, ok, detail, advice }) => [
    `${ok ? 'yes' : 'no '}  ${name}: ${detail}`,
    ...(advice === undefined ? [] : [`       ${advice}`]),
  ]);
  const kept =
    isolation === 'none' ? 'Sandboxes are NOT isolated here.' : `Sandboxes are isolated by ${isolation}.`;
  return `${kept}\n\n${lines.join('\n')}\n`;
}
