/** What of the wire depends on the model. Read from its name, because the request must be written before anything is asked. */
export interface ModelTraits {
  /** 2.5, 3.1, … (of Gemma its own); undefined for a name that does not say (`gemini-flash-latest`, a tuned model). */
  generation?: number
  /** Open models, served by the same API with fewer abilities. */
  gemma: boolean
  pro: boolean
  lite: boolean
  /** Models that make pictures or speech do not take the settings of thinking. */
  media: boolean
}

/** @param model the provider's id, with or without `models/`, `google/` or `publishers/google/models/` before it */
export function traitsOf(model: string): ModelTraits {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase()
  const generation = /^gem(?:ini|ma)-(\d+(?:\.\d+)?)/.exec(name)?.[1]
  return {
    ...(generation && { generation: Number(generation) }),
    gemma: name.startsWith('gemma'),
    pro: /-pro\b/.test(name),
    lite: /-lite\b/.test(name),
    media: /-(?:image|tts|native-audio|live)\b/.test(name),
  }
}

/** Whether the model is of a generation, or newer; a name that does not say counts as today's. */
export function since(traits: ModelTraits, generation: number): boolean {
  if (traits.gemma) return false
  return traits.generation === undefined || traits.generation >= generation
}
