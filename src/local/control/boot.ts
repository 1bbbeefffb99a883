import { relative } from 'node:path';
import { ApiError } from '../http/replies.js';
import type { Limits } from '../machine/limits.js';
import type { Machine } from '../machine/machine.js';
import type { MachineFiles } from '../machine/machine-files.js';
import type { MachineSource } from '../machine/machine-source.js';
import { runStartCommands } from '../machine/start-commands.js';
import type { SandboxPlan } from './sandbox.js';
import type { TemplateRecipe } from './templates/template-recipe.js';

/** What a machine is to be when it is handed over. */
export interface BootRequest {
  readonly plan: SandboxPlan;
  readonly internet: boolean;
  /** Files to go on with. They stay the caller's until the machine is there. */
  readonly files?: MachineFiles;
  /** Says that nobody wants the machine any more. */
  readonly signal: AbortSignal;
}

/** Shorter than the minute that clients wait for an answer. */
const readyLimitSeconds = 50;

/** Starts a machine, tells it who it is, and runs the commands of its template. Nothing is left when that fails. */
export async function bootMachine(machines: MachineSource, request: BootRequest): Promise<Machine> {
  const { plan, internet, files: given, signal } = request;
  const { recipe } = plan;
  const limits = limitsOf(recipe);
  const made = given ? undefined : await makeFiles(machines, recipe);
  const files = given ?? made;
  const machine = await machines
    .take({
      ...(files && { files }),
      ...(recipe.image !== undefined && { image: recipe.image }),
      internet,
      ...(limits && { limits }),
    })
    .catch(async (error) => {
      await made?.remove();
      throw error;
    });
  try {
    await introduce(machine, plan, signal);
    return machine;
  } catch (error) {
    if (given) await machine.stop();
    else await machine.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError(500, `a sandbox of template '${plan.templateId}' did not start: ${reason}`);
  }
}

function limitsOf({ cpuCount, memoryMb }: TemplateRecipe): Partial<Limits> | undefined {
  if (cpuCount === undefined && memoryMb === undefined) return undefined;
  return { ...(cpuCount !== undefined && { cpus: cpuCount }), ...(memoryMb !== undefined && { memoryMb }) };
}

/** The working directory with what the template puts into it; homes are there anyway. */
async function makeFiles(
  machines: MachineSource,
  { files, workdir, user = 'user' }: TemplateRecipe,
): Promise<MachineFiles | undefined> {
  if (files === undefined && workdir === undefined) return undefined;
  const to = workdir ?? (user === 'root' ? '/root' : `/home/${user}`);
  return machines.makeFiles({ to: relative('/', to), ...(files !== undefined && { from: files }) });
}

async function introduce(machine: Machine, plan: SandboxPlan, signal: AbortSignal): Promise<void> {
  const { id, templateId, recipe, envs } = plan;
  const { user, workdir, startCmd, readyCmd } = recipe;
  await machine.init({
    envVars: {
      ...recipe.envs,
      ...envs,
      E2B_SANDBOX: 'true',
      E2B_SANDBOX_ID: id,
      E2B_TEMPLATE_ID: templateId,
    },
    ...(user !== undefined && { defaultUser: user }),
    ...(workdir !== undefined && { defaultWorkdir: workdir }),
  });
  if (startCmd === undefined && readyCmd === undefined) return;
  const commands = {
    ...(startCmd !== undefined && { startCmd }),
    ...(readyCmd !== undefined && { readyCmd }),
    timeoutSeconds: readyLimitSeconds,
  };
  await runStartCommands(machine, commands, signal);
}
