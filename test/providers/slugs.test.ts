import { expect, test } from 'bun:test'
import { builtIn } from '../../src/providers/index.ts'
import { providerAliases, providerSlugs } from '../../src/providers/slugs.ts'

test('the slugs that the configuration knows are those of the built-in providers, in their order', () => {
  expect(builtIn.map(provider => provider.slug)).toEqual([...providerSlugs])
  expect(builtIn.flatMap(provider => provider.aliases)).toEqual([...providerAliases])
})

test('no prefix stands for two providers', () => {
  const prefixes = builtIn.flatMap(provider => [provider.slug, ...provider.aliases])
  expect(prefixes.filter((prefix, at) => prefixes.indexOf(prefix) !== at)).toEqual([])
})

test('every base address is https, or this machine', () => {
  for (const { base } of builtIn) expect(base).toMatch(/^(https:\/\/|http:\/\/127\.0\.0\.1:)/)
})
