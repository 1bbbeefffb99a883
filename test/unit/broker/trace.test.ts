import { expect, test } from 'vitest';
import { traceOf } from '../../../src/broker/trace.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const of = (headers: Record<string, string>) => traceOf(new Headers(headers));

test('a caller’s trace is carried on, with the state that belongs to it', () => {
  expect(of({ traceparent })).toEqual({ traceparent });
  expect(of({ traceparent, tracestate: 'a=1' })).toEqual({ traceparent, tracestate: 'a=1' });
  const longest = `a=${'x'.repeat(510)}`;
  expect(of({ traceparent, tracestate: longest })).toEqual({ traceparent, tracestate: longest });
  expect(of({ traceparent, tracestate: `${longest}x` })).toEqual({ traceparent });
});

test.each([
  {},
  { tracestate: 'a=1' },
  { traceparent: '', tracestate: 'a=1' },
  { traceparent: traceparent.slice(1) },
  { traceparent: `0${traceparent}` },
  { traceparent: `${traceparent}0` },
  { traceparent: traceparent.toUpperCase() },
  { traceparent: traceparent.replace('00-', '01-') },
  { traceparent: traceparent.replace('0af', '0ag') },
  { traceparent: traceparent.replace('b7a', 'b7') },
  { traceparent: traceparent.replace('-01', '-0g') },
])('%j is no trace', (headers) => {
  expect(of(headers as Record<string, string>)).toEqual({});
});
