import { fill, fillsOf } from '../placeholders.ts'
import { type NativeAddress, NativeFault, type NativePlace } from './address.ts'
import { placedBy } from './wire.ts'

/** First steps of what stands below a deployment. */
const OF_A_DEPLOYMENT = new Set(['audio', 'chat', 'completions', 'embeddings', 'extensions', 'images'])
/** First steps of what stands beside the deployments, as the `AzureOpenAI` client of the package `openai` asks for it. */
const BESIDE = new Set(
  'assistants batches containers conversations evals files fine_tuning models realtime responses threads uploads v1 vector_stores video videos'.split(
    ' ',
  ),
)
const isKnown = (step: string) =>
  step === 'openai' || step === 'deployments' || BESIDE.has(step) || OF_A_DEPLOYMENT.has(step)

/** The end of a base that says which of Azure's addresses is meant: the resource's root is in front of it. */
const OF_THE_BASE = /(?<=[^/])\/(?:openai(?:\/v1|\/deployments(?:\/[^/]*)?)?|\{deployment\})$/

const EXPECTED =
  'expected azure-openai/{resource}/{deployment}/chat/completions?api-version=…, …/{resource}/deployments/{deployment}/…, …/{resource}/openai/deployments/{deployment}/… or …/{resource}/openai/v1/…'

/**
 * Azure OpenAI: the path begins with the resource, and goes on in Cloudflare's form (`{deployment}/…`), in Azure's own
 * (`openai/…`), or in that of a client that was given `…/azure-openai/{resource}/` as its base. The resource may be left
 * out where the settings name it. A configured base without `{resource}` serves them all.
 */
export function azureOpenaiNative(path: string, place: NativePlace): NativeAddress {
  const { base } = place
  let steps = path.split('/')
  let resource: string | undefined
  const needsResource = base.includes('{resource}')
  if (!(isKnown(steps[0]!) && (place.resource !== undefined || !needsResource))) {
    resource = steps[0]!
    // It becomes a part of the host's name.
    if (needsResource && !/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(resource))
      throw new NativeFault(`the path does not begin with the name of an Azure resource; ${EXPECTED}`)
    steps = steps.slice(1)
  }
  const explicit = steps[0] === 'openai'
  if (explicit) steps = steps.slice(1)
  let deployment = place.deployment && encodeURIComponent(place.deployment)
  if (steps[0] === 'deployments') [, deployment, ...steps] = steps
  else if (explicit || BESIDE.has(steps[0] ?? '')) return at('/openai', steps)
  else if (!OF_A_DEPLOYMENT.has(steps[0] ?? '')) {
    ;[deployment, ...steps] = steps
    // A client that was given the deployment as part of its base may still insert it.
    if (steps[0] === 'deployments') [, deployment, ...steps] = steps
  } else deployment ??= /\/deployments\/([^/{}]+)$/.exec(base)?.[1]
  if (!deployment || !steps.join(''))
    throw new NativeFault(`the path lacks the ${deployment ? 'operation' : 'deployment'}; ${EXPECTED}`)
  return at('/openai/deployments/{deployment}', steps)

  function at(below: string, rest: string[]): NativeAddress {
    const root = base.replace(OF_THE_BASE, '')
    const template = below.endsWith('}') && base.includes('{deployment}') ? base : `${root}${below}`
    const filled = fill(template, fillsOf({ ...place, deployment: undefined }), { resource, deployment })
    const tail = rest.join('/')
    const url = tail ? `${filled}/${tail}` : filled
    return { url, ...placedBy(url) }
  }
}
