// Loaded with --import before the runtime client: puts rapid-client.cjs where it looks for its native addon.
import { registerHooks } from 'node:module';

const url = new URL('./rapid-client.cjs', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.endsWith('/rapid-client.node')
      ? { url, format: 'commonjs', shortCircuit: true }
      : next(specifier, context),
});
