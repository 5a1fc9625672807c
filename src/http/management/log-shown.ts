import { dollarsOf } from '../../costs/money.ts'
import type { Log, LogDetail } from '../../schemas/management/logs.ts'
import type { StoredBody, StoredRecord } from '../../storage/records/types.ts'

/** Records as the management API tells them (contract 8.1). */

export function logOf(record: StoredRecord): Log {
  const { cost, metadata, key, error } = record
  return {
    id: record.id,
    created_at: new Date(record.at).toISOString(),
    provider: record.provider ?? '',
    model: record.model ?? '',
    path: record.path,
    duration: record.duration,
    success: record.success,
    cached: record.cached,
    tokens_in: record.tokensIn ?? null,
    tokens_out: record.tokensOut ?? null,
    ...(cost !== undefined && { cost: dollarsOf(cost) }),
    custom_cost: record.customCost,
    ...(metadata && { metadata: JSON.stringify(metadata) }),
    ...(record.modelType !== undefined && { model_type: record.modelType }),
    ...(record.requestKind !== undefined && { request_type: record.requestKind }),
    ...(record.requestType !== undefined && { request_content_type: record.requestType }),
    ...(record.answerType !== undefined && { response_content_type: record.answerType }),
    status_code: record.status,
    ...(record.step !== undefined && { step: record.step }),
    event_id: record.event,
    ...usageOf(record),
    timings: {
      total: record.duration,
      ...(record.firstByte !== undefined && { latency: record.firstByte }),
      ...(record.firstWord !== undefined && { first_word: record.firstWord }),
    },
    feedback: record.feedback ?? null,
    score: record.score ?? null,
    ...(record.userAgent !== undefined && { user_agent: record.userAgent }),
    authentication: record.token !== undefined,
    wholesale: false,
    byok: key !== undefined && key.of !== 'caller',
    compatibilityMode: record.surface === 'compat',
    request_id: record.request,
    attempt: record.attempt,
    method: record.method,
    stream: record.stream,
    ...(record.asked !== undefined && { asked_model: record.asked }),
    ...(record.token !== undefined && { token: record.token }),
    ...(key?.alias !== undefined && { key: key.alias }),
    ...(error && { error }),
  }
}

function usageOf(record: StoredRecord): Pick<Log, 'usage_metadata'> {
  const { tokensIn, tokensOut, tokensReasoning, tokensCached, tokensWritten } = record
  if (tokensIn === undefined && tokensOut === undefined) return {}
  return {
    usage_metadata: {
      ...(tokensIn !== undefined && { input_tokens: tokensIn }),
      ...(tokensOut !== undefined && { output_tokens: tokensOut }),
      total_tokens: (tokensIn ?? 0) + (tokensOut ?? 0),
      ...(tokensReasoning !== undefined && { output_reasoning_tokens: tokensReasoning }),
      ...(tokensCached !== undefined && { input_cached_tokens: tokensCached }),
      ...(tokensWritten !== undefined && { input_cache_write_tokens: tokensWritten }),
      ...(record.estimated && { estimated: true }),
    },
  }
}

/** Bytes of a body that a detail shows. */
const HEAD = 4_096

export function detailOf(
  record: StoredRecord,
  request: StoredBody | undefined,
  response: StoredBody | undefined,
): LogDetail {
  return {
    ...logOf(record),
    ...(request && { request_head: headOf(request), request_head_complete: isWhole(request) }),
    request_size: record.requestSize,
    ...(response && { response_head: headOf(response), response_head_complete: isWhole(response) }),
    response_size: record.answerSize,
  }
}

const decoder = new TextDecoder()

function headOf({ bytes }: StoredBody): string {
  let end = Math.min(HEAD, bytes.length)
  // Not in the middle of a character.
  if (end < bytes.length) while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return decoder.decode(bytes.subarray(0, end))
}

const isWhole = ({ bytes, cut }: StoredBody) => bytes.length <= HEAD && !cut

const TEXT = /json|text|xml|urlencoded|javascript/i

/**
 * The content type of a body as it is kept: a stream that was put together is one JSON object, and a picture or a sound
 * that was taken out is told of in one.
 * @param recorded what the request or the answer said
 */
export function typeOf({ assembled, replaced }: StoredBody, recorded: string | undefined): string {
  if (assembled || (replaced && recorded !== undefined && !TEXT.test(recorded))) return 'application/json'
  return recorded || 'application/octet-stream'
}
