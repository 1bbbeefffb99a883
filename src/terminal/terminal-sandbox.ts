import type { Channel, PtySize } from '../channel/channel.js';
export interface TerminalHandle {
  readonly pid: number;
  readonly channel: Channel;
  disconnect(): void;
}
export interface TerminalSandbox {
  readonly pty: {
    create(
      options: PtySize & { cwd?: string; envs?: Record<string, string>; timeoutMs?: number },
    ): Promise<TerminalHandle>;
    connect(pid: number, options?: Partial<PtySize>): Promise<TerminalHandle>;
  };
}
