import type { SecretPattern } from './options.ts'

/** Keys are told from words by what stands before them and by their length. */
const KEYS: readonly SecretPattern[] = [
  { name: 'key', hint: 'sk-', pattern: /(?<![\w-])sk-[\w-]{20,}/g },
  { name: 'key', hint: 'sk_', pattern: /(?<![\w-])sk_[A-Za-z0-9_]{20,}/g },
  { name: 'token', hint: 'pst_', pattern: /(?<!\w)pst_[\w-]{16,}/g },
  { name: 'google-key', hint: 'AIza', pattern: /(?<![\w-])AIza[\w-]{35}/g },
  { name: 'aws-key', hint: 'AKIA', pattern: /(?<![A-Za-z0-9])AKIA[A-Z0-9]{16}(?![A-Za-z0-9])/g },
  { name: 'aws-key', hint: 'ASIA', pattern: /(?<![A-Za-z0-9])ASIA[A-Z0-9]{16}(?![A-Za-z0-9])/g },
  { name: 'groq-key', hint: 'gsk_', pattern: /(?<!\w)gsk_[A-Za-z0-9]{20,}/g },
  { name: 'xai-key', hint: 'xai-', pattern: /(?<![\w-])xai-[A-Za-z0-9]{20,}/g },
  { name: 'hugging-face-token', hint: 'hf_', pattern: /(?<!\w)hf_[A-Za-z0-9]{20,}/g },
  { name: 'replicate-token', hint: 'r8_', pattern: /(?<!\w)r8_[A-Za-z0-9]{20,}/g },
  { name: 'perplexity-key', hint: 'pplx-', pattern: /(?<![\w-])pplx-[A-Za-z0-9]{20,}/g },
  { name: 'nvidia-key', hint: 'nvapi-', pattern: /(?<![\w-])nvapi-[\w-]{20,}/g },
  { name: 'github-token', hint: 'github_pat_', pattern: /(?<!\w)github_pat_\w{20,}/g },
  ...['o', 'p', 's', 'u', 'r'].map(kind => ({
    name: 'github-token',
    hint: `gh${kind}_`,
    pattern: new RegExp(`(?<!\\w)gh${kind}_[A-Za-z0-9]{30,}`, 'g'),
  })),
  { name: 'slack-token', hint: 'xox', pattern: /(?<!\w)xox[abprs]-[\w-]{10,}/g },
  { name: 'bearer', hint: 'earer ', pattern: /(?<=(?<!\w)[Bb]earer )[\w.~+/-]{20,}=*/g },
  { name: 'jwt', hint: 'eyJ', pattern: /(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/g },
  {
    name: 'private-key',
    hint: 'PRIVATE KEY-----',
    // Within JSON its lines are divided by a backslash and an n. The end of a long one may have been cut off.
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s\\:,-]{0,20000}?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|(?=")|$)/g,
  },
]

export type Redact = (text: string) => { text: string; count: number }

/** Bytes of which some are in everything that {@link redactor} would change; of hints within one another the shorter. */
export function hintsOf(more: readonly SecretPattern[] = []): readonly Buffer[] {
  const hints = [...new Set([...KEYS, ...more].map(({ hint }) => hint))]
  return hints
    .filter(hint => !hints.some(other => other !== hint && hint.includes(other)))
    .map(hint => Buffer.from(hint))
}

/**
 * Makes what takes secrets out of a text. What looks like one becomes `[redacted:<name>]`.
 * @param more the operator's own, beside those that are known
 */
export function redactor(more: readonly SecretPattern[] = []): Redact {
  const patterns = [...KEYS, ...more]
  return text => {
    let count = 0
    for (const { name, hint, pattern } of patterns) {
      if (!text.includes(hint)) continue
      text = text.replace(pattern, () => {
        count++
        return `[redacted:${name}]`
      })
    }
    return { text, count }
  }
}
