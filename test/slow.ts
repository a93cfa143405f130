/**
 * Tests about tools, not about our code: the benchmark, packaging, removal and emulation by osls and moto, a clone, a package, a recipe.
 * `npm run test:slow` takes them and `npm test` does not; `.ci/run` takes both. Nothing stands here that holds a sentence of
 * the contract about the function or the command line.
 */
export const SLOW: readonly string[] = [
  'test/bench/main.test.ts',
  'test/bench/subjects.test.ts',
  'test/infra/emulator.test.ts',
  'test/infra/osls-stage.test.ts',
  'test/infra/package.test.ts',
  'test/infra/remove.test.ts',
  'test/infra/sbom.test.ts',
  'test/repository/clone.test.ts',
  'test/repository/packed.test.ts',
  'test/repository/recipe.test.ts',
];
