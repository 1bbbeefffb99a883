import type { Authorization } from 'e2b-edge/broker';

export async function authorize(): Promise<Authorization> {
  return { subject: 'reader', sandbox: { template: 'base' }, grants: { commands: 'run' } };
}
