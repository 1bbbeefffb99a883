import { SandboxTerminalElement } from './terminal/element.js';

export type { TerminalStatus } from './terminal/open-options.js';
export { SandboxTerminalElement };

declare global {
  interface HTMLElementTagNameMap {
    'sandbox-terminal': SandboxTerminalElement;
  }
}

// The client is fetched only by a page that uses `session-url`.
SandboxTerminalElement.connect = async (sessionUrl, sandboxId) => {
  const { fetchSession, Sandbox } = await import('./browser.js');
  return Sandbox.connect({
    session: (request) => fetchSession(sessionUrl, { sandboxId: request.sandboxId ?? sandboxId }),
  });
};

if (globalThis.customElements && !customElements.get('sandbox-terminal')) {
  customElements.define('sandbox-terminal', SandboxTerminalElement);
}
