/** The caller's trace, to be carried on: `traceparent`, and the `tracestate` that belongs to it. */
export type Trace = Readonly<Record<string, string>>;

/** 512 characters are what everybody has to pass on. */
const maxStateLength = 512;

/** What of W3C's trace headers can be passed on; nothing without a good `traceparent`. */
export function traceOf(headers: Headers): Trace {
  const traceparent = headers.get('traceparent');
  const tracestate = headers.get('tracestate');
  if (!traceparent || !/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)) return {};
  return { traceparent, ...(tracestate && tracestate.length <= maxStateLength && { tracestate }) };
}
