import { openSocketChannel } from '../../../src/channel/socket-channel.js';

/** A Worker that is a terminal's client: types a word, reads to the end, and answers with what it saw. */
export default {
  async fetch(request: Request): Promise<Response> {
    const channel = await openSocketChannel({
      url: `ws://127.0.0.1:${new URL(request.url).searchParams.get('port')}/pty/sandbox`,
      token: () => 'ann',
      target: { create: { size: { cols: 80, rows: 24 } } },
      size: { cols: 80, rows: 24 },
    });
    const states: string[] = [];
    channel.onStatus(({ state }) => {
      states.push(state);
      if (state === 'reconnecting') setTimeout(() => channel.reconnect(), 1);
    });
    await channel.send(new TextEncoder().encode('typed'));
    let text = '';
    for await (const event of channel) {
      if (event.type !== 'output') continue;
      text += new TextDecoder().decode(event.data);
      channel.ack(event.offset + event.data.length);
    }
    return Response.json({ text, states });
  },
};
