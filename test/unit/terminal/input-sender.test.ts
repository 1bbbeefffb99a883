import { expect, test } from 'vitest';
import type { Channel } from '../../../src/channel/channel.js';
import { InputSender, type RejectedInput } from '../../../src/terminal/input-sender.js';

const bytes = (text: string) => new TextEncoder().encode(text);

/** A channel that refuses what it is told to, later. */
function refusing() {
  const refusals: (() => void)[] = [];
  const send = () =>
    new Promise<void>((_resolve, reject) => {
      refusals.push(() => reject(Object.assign(new Error('old'), { code: 'input_not_executed' })));
    });
  return {
    channel: { send } as unknown as Channel,
    refuseAll: () => {
      for (const refuse of refusals) refuse();
    },
  };
}

async function rejectedOf(typed: string[]): Promise<string[]> {
  const { channel, refuseAll } = refusing();
  const rejected: RejectedInput[] = [];
  const sender = new InputSender(channel, (input) => rejected.push(input));
  for (const text of typed) sender.send(bytes(text));
  refuseAll();
  await new Promise((resolve) => setTimeout(resolve));
  return rejected.map(({ data }) => new TextDecoder().decode(data));
}

test('tells what did not arrive, in order', async () => {
  expect(await rejectedOf(['a', 'b'])).toEqual(['a', 'b']);
});

test.each([
  ['Ctrl-C', '\x03'],
  ['Ctrl-Z', '\x1a'],
  ['Ctrl-\\', '\x1c'],
])('is silent about what %s threw away', async (_key, interrupt) => {
  expect(await rejectedOf(['a', interrupt, 'b'])).toEqual([interrupt, 'b']);
});
