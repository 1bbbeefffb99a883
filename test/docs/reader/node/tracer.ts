/** As much of OpenTelemetry's `Tracer` as an example needs; the package itself is not among those of the tests. */

export interface Span {
  spanContext(): { traceId: string; spanId: string };
  setAttribute(name: string, value: string | number): this;
  recordException(error: unknown): void;
  setStatus(status: { code: number }): this;
  end(): void;
}

const hex = (bytes: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');

export const tracer = {
  startSpan(name: string, { attributes }: { attributes: Record<string, string | number | undefined> }): Span {
    const context = { traceId: hex(16), spanId: hex(8) };
    const seen: unknown[] = [name, attributes];
    return {
      spanContext: () => context,
      setAttribute(key, value) {
        seen.push([key, value]);
        return this;
      },
      recordException: (error) => void seen.push(error),
      setStatus(status) {
        seen.push(status);
        return this;
      },
      end: () => console.log(...seen),
    };
  },
};
