export type { ChannelAddonOptions } from './terminal/channel-addon.js';
export { ChannelAddon } from './terminal/channel-addon.js';
export type { RejectedInput } from './terminal/input-sender.js';
export type { TerminalLabels } from './terminal/labels.js';
export type { OpenTerminalOptions, TerminalOpen, TerminalStatus } from './terminal/open-options.js';
export { openTerminal } from './terminal/open-terminal.js';
export type { SandboxTerminal } from './terminal/sandbox-terminal.js';
export type { TerminalSandbox } from './terminal/terminal-sandbox.js';
