import { describe, expect, test } from 'vitest';
import { matchRoute, routesAt } from '../../../src/broker/routes.js';

const session = '01234567-89ab-4cde-8f01-23456789abcd';

describe('a route', () => {
  test.each([
    ['POST', '/sessions', { name: 'mint' }],
    ['POST', '/sessions/refresh', { name: 'refresh' }],
    ['GET', `/sessions/${session}`, { name: 'info', sessionId: session }],
    ['DELETE', `/sessions/${session}`, { name: 'end', sessionId: session }],
    ['POST', `/sessions/${session}/invite`, { name: 'invite', sessionId: session }],
    ['GET', `/sessions/${session}/metrics`, { name: 'metrics', sessionId: session }],
    ['POST', `/sessions/${session}/extend`, { name: 'extend', sessionId: session }],
    ['POST', `/sessions/${session}/pause`, { name: 'pause', sessionId: session }],
    ['POST', `/sessions/${session}/resume`, { name: 'resume', sessionId: session }],
    ['POST', `/sessions/${session}/kill`, { name: 'kill', sessionId: session }],
    ['POST', '/files/sign', { name: 'sign' }],
    ['GET', '/.well-known/jwks.json', { name: 'jwks' }],
    ['GET', '/pty/i1', { name: 'pty', sandboxId: 'i1' }],
    ['GET', '/envd/i1/health', { name: 'health', sandboxId: 'i1' }],
    ['GET', '/envd/i1/files', { name: 'download', sandboxId: 'i1' }],
    ['POST', '/envd/i1/files', { name: 'upload', sandboxId: 'i1' }],
    [
      'POST',
      '/envd/i1/process.Process/Start',
      { name: 'rpc', sandboxId: 'i1', procedure: 'process.Process/Start' },
    ],
  ])('%s %s is matched with its parameters', (method, path, expected) => {
    expect(matchRoute(method, `/base${path}`, '/base')).toEqual(expected);
    expect(matchRoute(method, path, '')).toEqual(expected);
  });

  test.each([
    '/base',
    '/basesessions',
    '/other/sessions',
    '/base/base/sessions',
    '/basexsessions',
    '/bad0/sessions',
    '/base//sessions',
    '/base/sessions/',
    `/base/sessions/${session}/`,
    `/base/sessions/${session}/other`,
    `/base/sessions/x${session.slice(1)}`,
    `/base/sessions/${session}0`,
    `/base/sessions/0${session}`,
    `/base/sessions/${session.slice(1)}`,
    '/base/envd/i-1/health',
    '/base/envd//health',
    '/base/envd/i1/health/',
    '/base/envd/i1',
    '/base/envd/i1/process.Process',
    '/base/envd/i1/process.Process/Start/x',
    '/base/envd/i1/x/process.Process/Start',
    '/base/envd/i1/Process.Process/Start',
    '/base/envd/i1/1process.Process/Start',
    '/base/envd/i1/process.Process/Start1',
    '/base/envd/i1/processProcess/Start',
    '/base/envd/i1/process./Start',
    '/base/envd/i1/process.Process/',
    '/base/pty',
    '/base/pty/i1/x',
  ])('is none at %s', (path) => {
    expect(() => matchRoute('POST', path, '/base')).toThrow(
      expect.objectContaining({ code: 'route_not_found', statusCode: 404 }),
    );
    expect(routesAt(path, '/base')).toEqual({});
  });

  test('that takes other methods says which', () => {
    expect(() => matchRoute('PUT', `/sessions/${session}`, '')).toThrow(
      expect.objectContaining({ code: 'method_not_allowed', statusCode: 405 }),
    );
    expect(Object.keys(routesAt(`/sessions/${session}`, ''))).toEqual(['GET', 'DELETE']);
  });
});
