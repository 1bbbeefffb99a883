import type { Grant } from '../../../src/wire/session.js';
import { grantedPorts } from '../arbitraries/previews.js';

export const everything: Grant = {
  files: [
    { op: 'read', prefix: '/' },
    { op: 'write', prefix: '/' },
  ],
  commands: 'run',
  pty: 'write',
  ports: [...grantedPorts],
  lifecycle: ['info', 'extend', 'pause', 'kill'],
};
