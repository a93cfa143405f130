/** What a file system refuses, told apart from AWS and the network: a full disk is nothing that another region would fix. */
import { getSystemErrorMessage } from 'node:util';
import { isNetworkCode } from '../../http/failure.ts';

/** As Node.js throws it; a read or write of an open file names no `path`. */
export interface FileFailure extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
}

export const isFileFailure = (error: unknown): error is FileFailure => {
  if (!(error instanceof Error)) return false;
  const { code, errno, syscall } = error as Partial<FileFailure>;
  return typeof errno === 'number' && typeof syscall === 'string' && typeof code === 'string' && !isNetworkCode(code);
};

/** `no space left on device` */
export const fileReason = ({ errno }: FileFailure): string => getSystemErrorMessage(errno);

const FIXES: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the disk, or name a file on another one',
  EDQUOT: 'make room on the disk, or name a file on another one',
  EFBIG: 'name a file where larger ones may be written',
  EACCES: 'name a file that you may read, or a folder that you may write to',
  EPERM: 'name a file that you may read, or a folder that you may write to',
  EROFS: 'name a file in a folder that can be written to',
  ENOENT: 'check the path: the file or its folder is not there',
  ENOTDIR: 'check the path: a part of it is a file',
  EISDIR: 'name a file, not a folder',
};

export const fileFix = ({ code }: FileFailure): string => FIXES[code] ?? 'check the file and its disk, or name another';
