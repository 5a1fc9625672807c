import type { CustomProviderSettings } from '../config/schema.ts'
import type { DialectName, Quirk } from '../dialects/dialect.ts'
import { everyHarmlessRepair } from '../dialects/openai-chat/quirks.ts'
import { anthropic, anthropicModels } from './anthropic.ts'
import { bearer } from './auth/auth.ts'
import { awsBedrock } from './aws-bedrock.ts'
import { cohere } from './cohere.ts'
import { googleAiStudio } from './google-ai-studio.ts'
import { ollama } from './local.ts'
import { below } from './native/below.ts'
import { openaiModels, type Provider, provider } from './provider.ts'
import { workersAi } from './workers-ai.ts'

/** Whose paths and credentials a custom provider of a dialect takes over. */
const LIKE: Record<Exclude<DialectName, 'openai-chat'>, Provider> = {
  'anthropic-messages': { ...anthropic, models: anthropicModels },
  gemini: googleAiStudio,
  'bedrock-converse': awsBedrock,
  'cohere-chat': cohere,
  'ollama-chat': ollama,
  'workers-ai': { ...workersAi, models: undefined },
}

/**
 * A provider of the operator's own: every harmless repair where it speaks something like OpenAI's format, unless it is
 * declared faithful. Its base is the part before `chat/completions` when it ends in a version, otherwise the version is
 * put in (contract 1.8).
 */
export function custom(name: string, settings: CustomProviderSettings): Provider {
  const dialect = settings.dialect ?? 'openai-chat'
  const slug = `custom-${name}`
  const own = {
    slug,
    title: name,
    aliases: [],
    base: settings.base_url,
    keyless: true,
    faithful: settings.faithful === true,
    // `{base_url}/{path}`; only a version that both have is not written twice (contract 1.8, 1.6).
    native: below(),
  }
  if (dialect !== 'openai-chat') return provider({ ...LIKE[dialect], ...own })
  const version = /\/v\d+(beta)?\/?$/.test(settings.base_url) ? '' : 'v1/'
  const quirks: readonly Quirk[] = settings.faithful ? [] : everyHarmlessRepair
  return provider({
    ...own,
    endpoint: { dialect, path: `${version}chat/completions` },
    auth: bearer,
    keyIn: ['authorization', 'x-api-key', 'api-key'],
    models: openaiModels(`${version}models`),
    quirks,
  })
}
