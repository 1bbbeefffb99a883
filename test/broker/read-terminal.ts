/** What is typed at a terminal, and what it prints. */

import type { Sandbox } from 'e2b-edge/browser';

export type Terminal = Awaited<ReturnType<Sandbox['pty']['create']>>;

/**
 * Reads until something is there.
 * @param line is typed again where what was printed meanwhile is declared lost.
 */
export async function readUntil({ channel }: Terminal, awaited: string, line?: string): Promise<string> {
  let text = '';
  for await (const event of channel) {
    if (event.type === 'gap' && line !== undefined) await channel.send(typed(line));
    if (event.type !== 'output') continue;
    text += new TextDecoder().decode(event.data);
    channel.ack(event.offset + event.data.length);
    if (text.includes(awaited)) return text;
  }
  throw new Error(`the terminal ended: ${text}`);
}

export const typed = (line: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(line);
export const size = { cols: 80, rows: 24 };
export const socketed = { ...size, transport: 'websocket' } as const;
