import type { CDPSession, Page } from 'playwright-core';

/** All that a page sent and received, as the browser's debugger tells it: addresses, headers, bodies, frames. */
export class PageTraffic {
  readonly #pieces: (string | Buffer)[] = [];
  readonly #pending: Promise<unknown>[] = [];
  frames = 0;

  /** Watches from now on: call it before the page is opened. */
  static async watch(page: Page): Promise<PageTraffic> {
    const traffic = new PageTraffic();
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable', {
      maxTotalBufferSize: 100_000_000,
      maxResourceBufferSize: 50_000_000,
    });
    traffic.#listen(session);
    return traffic;
  }

  /** Everything so far, WebSocket frames as their bytes. */
  async bytes(): Promise<Buffer> {
    await Promise.all(this.#pending);
    return Buffer.concat(this.#pieces.flatMap((piece) => [Buffer.from(piece), Buffer.from('\n')]));
  }

  #listen(session: CDPSession): void {
    const whole = (event: unknown): void => void this.#pieces.push(JSON.stringify(event));
    session.on('Network.requestWillBeSent', whole);
    session.on('Network.requestWillBeSentExtraInfo', whole);
    session.on('Network.responseReceived', whole);
    session.on('Network.responseReceivedExtraInfo', whole);
    session.on('Network.webSocketCreated', whole);
    session.on('Network.webSocketWillSendHandshakeRequest', whole);
    session.on('Network.webSocketHandshakeResponseReceived', whole);
    const frame = ({ response }: { response: { opcode: number; payloadData: string } }): void => {
      this.frames += 1;
      this.#pieces.push(Buffer.from(response.payloadData, response.opcode === 2 ? 'base64' : 'utf8'));
    };
    session.on('Network.webSocketFrameSent', frame);
    session.on('Network.webSocketFrameReceived', frame);
    session.on('Network.loadingFinished', ({ requestId }) => {
      const body = session.send('Network.getResponseBody', { requestId }).then(
        ({ body, base64Encoded }) => this.#pieces.push(Buffer.from(body, base64Encoded ? 'base64' : 'utf8')),
        // A preflight has no body. Streams are in what the proxy recorded.
        () => undefined,
      );
      this.#pending.push(body);
    });
  }
}
