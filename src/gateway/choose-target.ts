import { nearest } from '../config/suggest.ts'
import type { Registry } from '../providers/registry.ts'
import type { Target } from './exchange.ts'
import { GatewayFault } from './fault.ts'

/**
 * Reads `model: "<provider>/<model>"`; everything behind the first slash is the provider's own id (contract 1.3).
 * @throws GatewayFault 400/2008 for a provider that is not known, naming the nearest one
 */
export function targetOf(registry: Registry, name: string): Target {
  const slash = name.indexOf('/')
  if (slash <= 0 || slash === name.length - 1) {
    const whole = registry.find(slash < 0 ? name : name.slice(0, slash))
    throw invalidModel(
      whole
        ? `model: the provider is "${whole.provider.slug}", but no model is named; expected "${whole.provider.slug}/<model>"`
        : 'model: expected "<provider>/<model>", for example "openai/gpt-5-mini" or "anthropic/claude-sonnet-4-5"',
    )
  }
  const prefix = name.slice(0, slash)
  const reach = registry.find(prefix)
  if (!reach) {
    const near = nearest(prefix, registry.prefixes())
    throw invalidModel(
      `model: there is no provider "${prefix.slice(0, 64)}"${near ? `; did you mean "${near}"?` : ''} (GET …/compat/models lists what can be served; servers of your own go under custom_providers in postern.yaml)`,
      2008,
    )
  }
  const model = name.slice(slash + 1)
  // Model ids become part of addresses; such a step would lead elsewhere on the provider's host.
  if (model.includes('.') && STEP_UP.test(model))
    throw invalidModel('model: expected an id without the steps "." and ".."')
  return { reach, model }
}

const STEP_UP = /(?:^|\/)\.\.?(?:\/|$)/

const invalidModel = (message: string, number?: number) =>
  new GatewayFault({
    status: 400,
    code: number ? 'invalid_provider' : 'invalid_model',
    param: 'model',
    message,
    ...(number && { number }),
  })
