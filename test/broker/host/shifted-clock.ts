/** The clock of a program, which a case puts ahead: an hour need not be waited for. */

const RealDate: DateConstructor = Date;

/**
 * Timers go on as they were, as they do in a machine that slept.
 * @param aheadMs 0 puts it right again.
 */
export function putClockAhead(aheadMs: number): void {
  const now = (): number => RealDate.now() + aheadMs;
  globalThis.Date =
    aheadMs === 0
      ? RealDate
      : new Proxy(RealDate, {
          construct: (target, given: unknown[], made) =>
            Reflect.construct(target, given.length === 0 ? [now()] : given, made) as Date,
          get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
        });
}
