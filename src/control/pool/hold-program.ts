/** Whether a timer keeps a program of Node, Bun or Deno from ending; elsewhere there is nothing to choose. */
export function holdProgram(timer: unknown, hold: boolean): void {
  const { ref, unref } = Object(timer) as { ref?(): void; unref?(): void };
  (hold ? ref : unref)?.call(timer);
}
