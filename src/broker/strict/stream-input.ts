/** The messages of `Process.StreamInput`, which no client of ours calls: fetch of a browser cannot stream a request. */

import type { MessageType } from '../../wire/codec/message-type.js';
import { ProcessInput, ProcessSelector } from '../../wire/messages/process.js';

export interface StreamInputRequest {
  event:
    | { case: 'start'; value: { process?: ProcessSelector } }
    | { case: 'data'; value: { input?: ProcessInput } }
    | { case: undefined; value?: undefined };
}

const StartEvent: MessageType<{ process?: ProcessSelector }> = {
  typeName: 'process.StreamInputRequest.StartEvent',
  fields: { 1: { name: 'process', kind: ProcessSelector } },
};

const DataEvent: MessageType<{ input?: ProcessInput }> = {
  typeName: 'process.StreamInputRequest.DataEvent',
  fields: { 2: { name: 'input', kind: ProcessInput } },
};

export const StreamInputRequest: MessageType<StreamInputRequest> = {
  typeName: 'process.StreamInputRequest',
  fields: {
    1: { name: 'start', kind: StartEvent, oneof: 'event' },
    2: { name: 'data', kind: DataEvent, oneof: 'event' },
  },
};

export const streamInputPath = 'process.Process/StreamInput';
