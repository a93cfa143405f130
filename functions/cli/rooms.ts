/** Every command, in the order of the help. Each is declared in its own room. */
import type { Command, Group } from './command.ts';
import { deadLetterCommands } from './dead-letters/command.ts';
import { doctorCommand } from './doctor/command.ts';
import { localCommand } from './local/command.ts';
import { sendCommand } from './send/command.ts';

export const ROOMS: readonly (Command | Group)[] = [localCommand, sendCommand, deadLetterCommands, doctorCommand];
