import type { AnySandbox } from './case.js';

type Pty = Awaited<ReturnType<AnySandbox['pty']['create']>>;

/** Reads a terminal from where it was left; every byte is acknowledged. */
export class Screen {
  text = '';
  exitCode: number | undefined;
  readonly #pty: Pty;
  readonly #decoder = new TextDecoder();
  readonly bytes: Uint8Array[] = [];

  constructor(pty: Pty) {
    this.#pty = pty;
  }

  /** Types a line and reads on until a text has come after it. */
  async type(line: string, awaited: string | RegExp): Promise<string> {
    const from = this.text.length;
    await this.#pty.channel.send(new TextEncoder().encode(line));
    return this.until(awaited, from);
  }

  async until(awaited: string | RegExp, from = 0): Promise<string> {
    const there = (): boolean =>
      typeof awaited === 'string' ? this.text.includes(awaited, from) : awaited.test(this.text.slice(from));
    if (there()) return this.text.slice(from);
    for await (const event of this.#pty.channel) {
      if (event.type === 'gap') throw new Error(`a gap: ${event.reason}`);
      if (event.type === 'exit') {
        this.exitCode = event.exitCode;
        break;
      }
      if (event.type === 'size') continue;
      this.bytes.push(event.data);
      this.text += this.#decoder.decode(event.data, { stream: true });
      this.#pty.channel.ack(event.offset + event.data.length);
      if (there()) return this.text.slice(from);
    }
    throw new Error(`the terminal ended before ${awaited} came: ${JSON.stringify(this.text.slice(-500))}`);
  }

  /** Reads to the exit. */
  async toExit(): Promise<number> {
    await this.until(/$./).catch((error: unknown) => {
      if (this.exitCode === undefined) throw error;
    });
    return this.exitCode ?? Number.NaN;
  }
}
