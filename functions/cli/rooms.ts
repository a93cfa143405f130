/** Every command, in the order of the help. Each is declared in its own room. */
import type { Command, Group } from './command.ts';
import { completionCommand } from './completion/command.ts';
import { deadLetterCommands } from './dead-letters/command.ts';
import { doctorCommand } from './doctor/command.ts';
import { localCommand } from './local/command.ts';
import { pauseCommand, resumeCommand } from './pause/command.ts';
import { reportCommand } from './report/command.ts';
import { sendCommand } from './send/command.ts';
import { statusCommand } from './status/command.ts';
import { traceCommand } from './trace/command.ts';

export const ROOMS: readonly (Command | Group)[] = [
  localCommand,
  sendCommand,
  traceCommand,
  statusCommand,
  pauseCommand,
  resumeCommand,
  reportCommand,
  deadLetterCommands,
  doctorCommand,
  completionCommand,
];
