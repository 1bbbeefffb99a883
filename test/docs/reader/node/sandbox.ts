import { Sandbox } from 'e2b-edge';

export const sandbox: Sandbox = await Sandbox.create();
