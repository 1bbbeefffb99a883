import { expect, test } from 'vitest';
import { isTerminalReply } from '../../../src/terminal/terminal-reply.js';

test.each([
  ['the primary attributes', '\x1b[?1;2c'],
  ['the secondary attributes', '\x1b[>0;276;0c'],
  ['the status', '\x1b[0n'],
  ['the place of the cursor', '\x1b[12;40R'],
  ['the same, asked the DEC way', '\x1b[?12;40R'],
  ['a mode of ANSI', '\x1b[4;2$y'],
  ['a mode of DEC', '\x1b[?2026;2$y'],
  ['the size in cells', '\x1b[8;24;80t'],
  ['the size in pixels', '\x1b[4;400;640t'],
  ['a colour', '\x1b]11;rgb:1414/1717/1c1c\x1b\\'],
  ['a colour of the palette', '\x1b]4;1;rgb:ffff/0000/0000\x07'],
  ['a setting', '\x1bP1$r0m\x1b\\'],
  ['the name of the terminal', '\x1bP>|xterm.js(6.0.0)\x1b\\'],
  ['that it has the focus', '\x1b[I'],
  ['that it lost the focus', '\x1b[O'],
])('knows %s', (_what, data) => {
  expect(isTerminalReply(data)).toBe(true);
});

test.each([
  ['text', 'ls -la'],
  ['nothing', ''],
  ['Enter', '\r'],
  ['Escape', '\x1b'],
  ['an arrow', '\x1b[A'],
  ['an arrow in application mode', '\x1bOA'],
  ['Shift and an arrow', '\x1b[1;2A'],
  ['Delete', '\x1b[3~'],
  ['F5', '\x1b[15~'],
  ['Alt and a letter', '\x1bc'],
  ['a pasted reply', 'look: \x1b[0n'],
  ['a paste in brackets', '\x1b[200~x\x1b[201~'],
  ['a mouse report', '\x1b[<0;10;5M'],
])('takes %s for what it is', (_what, data) => {
  expect(isTerminalReply(data)).toBe(false);
});
