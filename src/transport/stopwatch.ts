/**
 * Measures the time from now on, in milliseconds. While a machine sleeps `performance.now` may stand still, and
 * `Date.now` jumps when its clock is set: what goes on for longer counts, so that nothing is taken for younger than it is.
 */
export function stopwatch(): () => number {
  const wall = Date.now();
  const steady = performance.now();
  return () => Math.max(Date.now() - wall, performance.now() - steady);
}
