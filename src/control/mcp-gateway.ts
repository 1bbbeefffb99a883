import { CommandExitError, SandboxError } from '../errors.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { shellQuote } from '../sandbox/shell-quote.js';
import type { CallOptions } from '../transport/call-options.js';

/** The port of the gateway in a sandbox. */
export const mcpPort = 50_005;

/**
 * Starts the gateway in a sandbox of a template that has it.
 * @returns the token that its clients must send.
 */
export async function startMcpGateway(sandbox: Sandbox, config: object, call: CallOptions): Promise<string> {
  const token = crypto.randomUUID();
  try {
    await sandbox.commands.run(`mcp-gateway --config ${shellQuote(JSON.stringify(config))}`, {
      ...call,
      user: 'root',
      envs: { GATEWAY_ACCESS_TOKEN: token },
    });
    return token;
  } catch (error) {
    if (!(error instanceof CommandExitError)) throw error;
    throw new SandboxError(`The MCP gateway did not start: ${error.stderr || error.message}`, {
      code: 'mcp_gateway_failed',
      cause: error,
    });
  }
}

/** Where a gateway keeps its token, for root alone. */
export const mcpTokenFile = '/etc/mcp-gateway/.token';
