/** How a command ends: its exit status and, where it could not do its work, what is said of that to people and machines. */
import { explainFailed, type Failed, isAwsFailure, readFailure } from '../../aws/failure.ts';
import { EXIT } from './exit.ts';
import { type FileFailure, fileFix, fileReason, isFileFailure } from './file-failure.ts';
import { fixOf } from './hints.ts';
import { note, sayJson, wrap } from './print.ts';
import { DEFAULT_FIX, UsageError } from './usage.ts';

/** Why a command could not do its work, for a machine as well as for a person. */
export interface Ending {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly status: number;
}

/**
 * A command could not do its work, and knows why: `errorCode` for machines, `fix` for whoever is at the keyboard. (Not
 * `code`, which is Node's own name for what the network or a file refused.)
 */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly errorCode: string;
  readonly fix: string;

  constructor(errorCode: string, message: string, fix: string) {
    super(message);
    this.errorCode = errorCode;
    this.fix = fix;
  }
}

export const INTERRUPTED: Ending = {
  code: 'Interrupted',
  message: 'interrupted before its work was done',
  fix: 'run it again',
  status: EXIT.interrupted,
};

/** AWS, or the way to it, failed and no command can go on without it. */
export const awsError = (failed: Failed): CommandError => {
  const { code, detail } = failed;
  const fix = fixOf(explainFailed(failed)) ?? 'run it again; if it fails again, this message says what AWS refused';
  return new CommandError(code === 'Error' ? 'AwsError' : code, detail === '' ? code : detail, fix);
};

/** A file could not be read or written, and the command cannot go on without it. */
export const fileError = (failure: FileFailure, path = failure.path ?? 'a file'): CommandError =>
  new CommandError(failure.code, `${path}: ${fileReason(failure)}`, fileFix(failure));

const knownCause = (error: unknown): unknown => {
  if (isAwsFailure(error)) return awsError(readFailure(error).failed);
  return isFileFailure(error) ? fileError(error) : error;
};

/** @param error whatever ended the command */
export const readEnding = (error: unknown): Ending => {
  if (error instanceof UsageError) {
    return { code: error.errorCode, message: error.message, fix: error.fix, status: EXIT.usage };
  }
  if (error instanceof Error && error.name === 'AbortError') return INTERRUPTED;
  const known = knownCause(error);
  if (known instanceof CommandError) {
    return { code: known.errorCode, message: known.message, fix: known.fix, status: EXIT.failed };
  }
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return {
    code: 'Bug',
    message: `${name}: ${message}`,
    fix: 'this is a fault of mysafe-enable: run it again with DEBUG=1, and open an issue with what it prints',
    status: EXIT.failed,
  };
};

/** Says it to people and, as the last line of standard output, to machines. @returns the exit status */
export const tellEnding = ({ code, message, fix, status }: Ending, isJson: boolean): number => {
  note(`mysafe-enable: ${status === EXIT.usage ? '' : `${code}: `}${message}`);
  if (fix !== DEFAULT_FIX) note(wrap(`What to fix: ${fix}.`));
  if (isJson) sayJson({ error: { code, message, fix } });
  return status;
};
