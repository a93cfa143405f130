/** A new file that a command writes: for the eyes of whoever ran it, since it may name people. */
import { open, rm } from 'node:fs/promises';
import { fileError } from './terminal/ending.ts';
import { fileReason, isFileFailure } from './terminal/file-failure.ts';
import { UsageError } from './terminal/usage.ts';

/** Whatever the file system refuses is a CommandError that names the file. */
export interface NewFile {
  readonly append: (text: string) => Promise<void>;
  /** Resolves when what was written is on the disk. */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

const FILE_MODE = 0o600;

/** A write names no file in its error. @throws CommandError that names it */
export const naming = async <Result>(path: string, work: Promise<Result>): Promise<Result> => {
  try {
    return await work;
  } catch (error) {
    throw isFileFailure(error) ? fileError(error, path) : error;
  }
};

const openNew = async (option: string, path: string) => {
  try {
    return await open(path, 'wx', FILE_MODE);
  } catch (error) {
    if (!isFileFailure(error)) throw error;
    const why =
      error.code === 'EEXIST'
        ? 'is there already: name a new file'
        : `cannot be made: ${error.code}, ${fileReason(error)}`;
    throw new UsageError(`${option} ${path} ${why}`);
  }
};

/**
 * @param option by which the file was named, for messages
 * @throws UsageError where it is there already (an older one may hold what was written before), or cannot be made
 */
export const createFile = async (option: string, path: string): Promise<NewFile> => {
  const handle = await openNew(option, path);
  return {
    append: (text) => naming(path, handle.appendFile(text)),
    sync: () => naming(path, handle.sync()),
    close: () => naming(path, handle.close()),
    remove: () => naming(path, rm(path, { force: true })),
  };
};
