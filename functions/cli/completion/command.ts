import { command, type OptionsOf, WHERE } from '../command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Every command takes these, so that whoever adds them by an alias or a script need not leave this one out. */
const options = { ...WHERE };

export type CompletionOptions = OptionsOf<typeof options>;

export const completionCommand = command({
  name: 'completion',
  description: 'a script that completes commands and options, for bash, zsh or fish',
  words: { name: 'shell', description: `one of ${SHELLS.join(', ')}`, count: 'one', choices: SHELLS },
  options,
  examples: ['completion bash > ~/.local/share/bash-completion/completions/mysafe-enable', 'completion fish | source'],
  load: async () => (await import('./completion.ts')).runCompletion,
});
