/** A browser's requests to a preview, with the headers that scripts cannot set. */

import { type IncomingHttpHeaders, request } from 'node:http';

export interface PreviewAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/**
 * @param address of the preview; names below localhost are this machine.
 * @param hostUrl of the program that answers.
 */
export function askPreview(
  hostUrl: string,
  address: string,
  headers: Record<string, string> = {},
  { method = 'GET', body = '' }: { method?: string; body?: string | Buffer } = {},
): Promise<PreviewAnswer> {
  const { hostname, port } = new URL(hostUrl);
  // Not parsed: it is sent as it is.
  const [, host = '', path = '/'] = /^https?:\/\/([^/]+)(.*)$/s.exec(address) ?? [];
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path: path || '/', method, headers: { host, ...headers } });
    sent.once('error', reject);
    sent.once('response', (answer) => {
      answer.setEncoding('utf8');
      let text = '';
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.end(body);
  });
}
