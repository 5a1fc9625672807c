/** What each Claude generation can do, for the dialects that Claude is spoken to in. */

export interface Claude {
  /** The most tokens that an answer may have; unknown for models that are not Claude's. */
  maxTokens?: number
  /** Anthropic demands a bound (`max_tokens`); this one is taken where the caller set none. */
  defaultMaxTokens: number
  /** `budget`: a number of tokens is given; `adaptive`: the model decides, steered by an effort. */
  thinking: 'none' | 'budget' | 'adaptive'
  /** How thinking is switched off: by saying so, by the least that the model allows, or not at all. */
  thinkingOff: 'disabled' | 'between-tools' | 'low-effort'
  /** Whether the effort `xhigh` exists beside `max`. */
  xhigh: boolean
  /** `one`: temperature and top_p exclude each other (T72); `none`: neither, nor top_k, is taken. */
  sampling: 'free' | 'one' | 'none'
  /** Answers by JSON Schema without the forced tool. */
  structured: boolean
  /** Whether a tool can be forced at all. */
  forcedTool: boolean
}

type Version = readonly [major: number, minor: number]

/** What is assumed of models of other makers that speak Anthropic's format. */
const STRANGER: Claude = {
  defaultMaxTokens: 8_192,
  thinking: 'budget',
  thinkingOff: 'disabled',
  xhigh: false,
  sampling: 'free',
  structured: false,
  forcedTool: true,
}

/** Takes `claude-sonnet-4-5-20250929`, `us.anthropic.claude-3-7-sonnet-…-v1:0`, `claude-opus-4-1@…`, `claude-4.6-opus`. */
function familyOf(model: string): { family: string; version: Version } | undefined {
  const name = model.toLowerCase()
  const start = name.lastIndexOf('claude')
  if (start < 0) return undefined
  const rest = name.slice(start)
  const after = /^claude-([a-z]+)-(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?/.exec(rest)
  if (after && after[1] !== 'instant') return { family: after[1]!, version: [Number(after[2]), Number(after[3] ?? 0)] }
  const before = /^claude-(\d{1,2})(?:[-.](\d{1,2}))?-([a-z]+)/.exec(rest)
  if (before) return { family: before[3]!, version: [Number(before[1]), Number(before[2] ?? 0)] }
  if (/^claude-(v?[12]\b|instant)/.test(rest)) return { family: 'claude', version: [2, 0] }
  const family = /^claude-([a-z]+)/.exec(rest)?.[1] ?? ''
  // A name without a number stands for the newest of its family.
  return { family, version: family === 'mythos' ? [5, 0] : [5, 5] }
}

/**
 * What a model can do, by its name as Anthropic, Bedrock or Vertex spell it.
 * @see https://platform.claude.com/docs/en/about-claude/models/overview
 * @see https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */
export function claudeOf(model: string): Claude {
  const found = familyOf(model)
  if (!found) return STRANGER
  const { family, version } = found
  const from = (major: number, minor: number) => version[0] > major || (version[0] === major && version[1] >= minor)
  const alwaysThinks = family === 'fable' || family === 'mythos'
  const late = family === 'opus' || family === 'sonnet' ? from(5, 5) : alwaysThinks && from(5, 1)
  const adaptive = alwaysThinks || (family === 'haiku' ? from(5, 5) : from(4, 6))
  const steered = alwaysThinks || (family === 'haiku' ? from(5, 5) : family === 'opus' ? from(4, 7) : from(5, 0))
  const thinkingOff =
    alwaysThinks || (late && family === 'opus')
      ? 'low-effort'
      : late && family === 'sonnet'
        ? 'between-tools'
        : 'disabled'
  return {
    ...bounds(family, from),
    thinking: adaptive ? 'adaptive' : from(3, 7) ? 'budget' : 'none',
    thinkingOff,
    xhigh: steered,
    sampling: steered ? 'none' : from(4, 1) ? 'one' : 'free',
    structured: from(4, 5) || (family === 'opus' && from(4, 1)),
    forcedTool: !late,
  }
}

/**
 * The default leaves room for long answers, but stays well below the bound where a prompt and its bound that together
 * exceed the context window are refused (before 4.5) instead of ending with `model_context_window_exceeded`.
 */
function bounds(family: string, from: (major: number, minor: number) => boolean) {
  if (from(4, 6)) return { maxTokens: 128_000, defaultMaxTokens: 32_000 }
  if (from(4, 5)) return { maxTokens: 64_000, defaultMaxTokens: 32_000 }
  if (from(4, 0)) return { maxTokens: family === 'opus' ? 32_000 : 64_000, defaultMaxTokens: 16_000 }
  if (from(3, 7)) return { maxTokens: 128_000, defaultMaxTokens: 16_000 }
  if (from(3, 5)) return { maxTokens: 8_192, defaultMaxTokens: 8_192 }
  return { maxTokens: 4_096, defaultMaxTokens: 4_096 }
}
