/** The signals that a terminal's kernel makes of keys. */
export type InterruptSignal = 'INT' | 'TSTP' | 'QUIT';

const signals: Readonly<Record<number, InterruptSignal>> = { 3: 'INT', 26: 'TSTP', 28: 'QUIT' };

/**
 * The signal that input asks for: Ctrl-C, Ctrl-Z or Ctrl-\ on its own, as it is typed. The same bytes in the middle of
 * other input are data.
 */
export function interruptSignal(data: Uint8Array): InterruptSignal | undefined {
  return data.length === 1 ? signals[data[0] as number] : undefined;
}

/** Why input that waited when such a key was pressed is not executed. */
export const interrupted = 'an interrupt key was pressed before it was sent';
