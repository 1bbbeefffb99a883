import type { IncomingMessage, ServerResponse } from 'node:http';

export function app(_request: IncomingMessage, response: ServerResponse): void {
  response.end('the rest of the application');
}
