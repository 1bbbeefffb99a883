import { createServer, type Server } from 'node:http';

export const server: Server = createServer();
