/** What the page of the terminal's tests is: the entries and a scripted sandbox, within reach of the test. */

import { openTerminal } from 'e2b-edge/terminal';
import { SandboxTerminalElement } from 'e2b-edge/terminal/element';
import { ScriptedSandbox } from './scripted-channel.js';

const entries = { openTerminal, SandboxTerminalElement, ScriptedSandbox };

declare global {
  var harness: typeof entries;
}

globalThis.harness = entries;
