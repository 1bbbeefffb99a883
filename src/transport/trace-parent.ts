/** A `traceparent` of W3C Trace Context: one that does not change, or a function that is asked at each request. */
export type TraceParent = string | (() => string | undefined);

/** Whether a value is one: `{version}-{trace id}-{parent id}-{flags}`, in hexadecimal digits, neither id all zeros. */
export function isTraceParent(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/.test(value)
  );
}
