/** Why a request was rejected, for people. */

/** Segura's sentence begins with its number ("1005: Password not found"), which stands beside it already; ours do not. */
export const withoutCode = (errorCode: string, errorMessage: string): string =>
  errorMessage.startsWith(`${errorCode}: `) ? errorMessage.slice(errorCode.length + 2) : errorMessage;
