/**
 * A line that holds off a threat, what it becomes without it, and the unit tests of which one has to fail then.
 *
 * @typedef {{ threat: string, file: string, from: string, to: string, tests: string[] }} Defence
 */

const broker = 'src/broker';

/**
 * @param {string} file below the broker's folder.
 * @param {string[]} tests by their names; with a folder, below the unit tests' own.
 * @returns {Defence}
 */
export function defence(threat, file, from, to, tests) {
  return {
    threat,
    file: `${broker}/${file}`,
    from,
    to,
    tests: tests.map((name) => `test/unit/${name.includes('/') ? '' : 'broker/'}${name}.test.ts`),
  };
}
