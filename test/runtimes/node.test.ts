import * as edge from 'e2b-edge';
import * as browser from 'e2b-edge/browser';
import * as errors from 'e2b-edge/errors';
import { inject } from 'vitest';
import { WebSocket } from 'ws';
import type { Entries } from '../suites/case.js';
import { defineSuites } from './define.js';
import { runCase } from './run-case.js';

const entries: Entries = { edge, browser, errors };
// Node has a WebSocket of its own from version 22 on.
if (!globalThis.WebSocket) entries.WebSocket = WebSocket as unknown as typeof globalThis.WebSocket;

defineSuites('node', (id) => runCase('node', entries, inject('stage'), id));
