import { describe, expect, test } from 'vitest';
import { compileExamples } from './compile-examples.js';
import { examplesIn } from './read-examples.js';

const page = (...lines: string[]): string => `${lines.join('\n')}\n`;

describe('an example', () => {
  test('is found with what is said of it, and what it continues', () => {
    const text = page(
      '# A page',
      '```sh',
      'not an example',
      '```',
      '```ts',
      'const one = 1',
      '```',
      '<!-- example: continues -->',
      '```js',
      'console.log(one)',
      '```',
      '<!-- example: throws NotFoundError -->',
      '```ts',
      'await sandbox.files.read("nothing")',
      '```',
    );
    expect(examplesIn('page.md', text)).toEqual([
      {
        file: 'page.md',
        place: 'node',
        parts: [
          { code: 'const one = 1\n', line: 6 },
          { code: 'console.log(one)\n', line: 10 },
        ],
      },
      {
        file: 'page.md',
        place: 'node',
        throws: 'NotFoundError',
        parts: [{ code: 'await sandbox.files.read("nothing")\n', line: 14 }],
      },
    ]);
  });

  test('of which something unknown is said is refused', () => {
    const text = page('<!-- example: run it twice -->', '```ts', 'true', '```');
    expect(() => examplesIn('page.md', text)).toThrow('page.md:3: "run it twice" is not known');
  });

  test('that does not compile is reported with its line, after hidden code and in a continuation too', () => {
    const text = page(
      '<!-- example setup:',
      'const one = 1',
      '-->',
      '```ts',
      'const two: string = one',
      '```',
      '<!-- example: continues -->',
      '```ts',
      '',
      'await sandbox.files.raed("file")',
      '```',
    );
    const [example] = compileExamples(examplesIn('page.md', text));
    expect(example?.problems).toEqual([
      expect.stringMatching(/^page\.md:5: Type 'number' is not assignable/),
      expect.stringMatching(/^page\.md:10: Property 'raed' does not exist/),
    ]);
  });

  test('has the imports of the blocks before it, and the names that the reader has', () => {
    const text = page(
      '```ts',
      "import { Sandbox as Box } from 'e2b-edge'",
      '```',
      '```ts',
      'show(await Box.list().nextItems()); show(sandbox.sandboxId); new NotFoundError("of the package")',
      '```',
    );
    const [, second] = compileExamples(examplesIn('page.md', text));
    expect(second?.problems).toEqual([]);
    const [alone] = compileExamples(examplesIn('page.md', page('```ts', 'Box.list()', '```')));
    expect(alone?.problems).toEqual(["page.md:2: Cannot find name 'Box'."]);
  });
});
