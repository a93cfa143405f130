/** Whether it can be called over HTTP; nothing is looked up. */
export const isHttpUrl = (value: string): boolean => /^https?:\/\//.test(value) && URL.canParse(value);
