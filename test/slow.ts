/**
 * Tests of what tools make of the project: the template that osls compiles, in each combination of parameters, packaging,
 * removal and emulation, the benchmark, a clone, a package, a recipe.
 * `npm run test:slow` takes them and `npm test` does not; `.ci/run` takes both. Nothing stands here that holds a sentence of
 * the contract about the function or the command line.
 */
export const SLOW: readonly string[] = [
  'test/bench/main.test.ts',
  'test/bench/subjects.test.ts',
  'test/infra/emulator.test.ts',
  'test/infra/https.test.ts',
  'test/infra/open-template.test.ts',
  'test/infra/osls-stage.test.ts',
  'test/infra/package.test.ts',
  'test/infra/remove.test.ts',
  'test/infra/sbom.test.ts',
  'test/infra/template.test.ts',
  'test/repository/clone.test.ts',
  'test/repository/packed.test.ts',
  'test/repository/recipe.test.ts',
];
