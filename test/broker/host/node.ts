/** The host program for Node. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createMemoryStore, createNodeBroker, type NodeBroker } from 'e2b-edge/broker/node';
import { Hono } from 'hono';
import { createHostApp } from './host-app.js';
import { type HostSetup, setupVariable } from './setup.js';

const setup = JSON.parse(process.env[setupVariable] as string) as HostSetup;
const app = createHostApp<NodeBroker, undefined>(createNodeBroker, () => setup, {
  store: createMemoryStore(),
});

const hono = new Hono();
const inHono = app.brokerAt('http://host.test/hono') as NodeBroker;
hono.all('/hono/*', (c) => inHono.fetch(c.req.raw));
hono.all('/plain/*', (c) => app.plain(c.req.raw));
const honoListener = getRequestListener(hono.fetch);

const urlOf = ({ url, headers }: IncomingMessage): string => `http://${headers.host}${url}`;

async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
  if (/^\/(hono|plain)\//.test(message.url ?? '')) return honoListener(message, response);
  const broker = app.brokerAt(urlOf(message));
  if (broker) return broker.handleRequest(message, response);
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const body = message.method === 'POST' ? Buffer.concat(chunks) : null;
  const control = await app.control(new Request(urlOf(message), { method: message.method ?? 'GET', body }));
  response.writeHead(control?.status ?? 404).end(await control?.text());
}

const server = createServer((message, response) => void answer(message, response));
server.on('upgrade', (message, socket, head) => {
  const broker = app.brokerAt(urlOf(message));
  if (broker) void broker.handleUpgrade(message, socket, head);
  else socket.destroy();
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

// Ends with the test that started it, however that ends.
process.stdin.resume().once('end', () => process.exit());
