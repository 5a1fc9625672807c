import { type Static, Type } from '@sinclair/typebox'
import { ChatMessage } from './chat-message.ts'
import { ChatTool, ChatToolChoice, LegacyFunction } from './chat-tools.ts'
import { anyObject, open, optional, otherThan, word } from './open.ts'

/**
 * The request of OpenAI Chat Completions.
 *
 * What only the provider can judge (ranges, levels of effort, service tiers) is not judged here: providers differ, and
 * a level that is new to the gateway must still reach the provider. Types and structure are.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */

const ResponseFormat = Type.Union(
  [
    open({ type: Type.Literal('text') }, { $id: 'TextFormat' }),
    open({ type: Type.Literal('json_object') }, { $id: 'JsonObjectFormat', description: 'Any JSON object.' }),
    open(
      {
        type: Type.Literal('json_schema'),
        json_schema: open({
          name: Type.String({ minLength: 1 }),
          description: optional(Type.String()),
          schema: optional(anyObject(), { description: 'The JSON Schema that the answer must keep to.' }),
          strict: optional(Type.Boolean()),
        }),
      },
      { $id: 'JsonSchemaFormat', description: 'JSON that keeps to a schema.' },
    ),
    otherThan(['text', 'json_object', 'json_schema']),
  ],
  { $id: 'ResponseFormat', description: 'The form of the answer.' },
)

const StreamOptions = open(
  {
    include_usage: optional(Type.Boolean(), { description: 'Send the usage in a last chunk without choices.' }),
    include_obfuscation: optional(Type.Boolean()),
  },
  { $id: 'StreamOptions' },
)

const integer = (description: string) => optional(Type.Integer(), { description })
const number = (description: string) => optional(Type.Number(), { description })
const flag = (description: string) => optional(Type.Boolean(), { description })
const text = (description: string) => optional(Type.String(), { description })

export const ChatCompletionRequest = open(
  {
    model: Type.String({
      minLength: 1,
      description:
        'The provider and its model as `<provider>/<model>`; everything after the first slash is the provider’s own name of the model.',
      examples: [
        'openai/gpt-5-mini',
        'anthropic/claude-sonnet-4-5',
        'workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast',
      ],
      'x-form': '<provider>/<model>',
    }),
    messages: Type.Array(ChatMessage, { minItems: 1, description: 'The conversation so far, oldest first.' }),
    stream: flag('Answer piece by piece, as server-sent events that end with `data: [DONE]`.'),
    stream_options: optional(StreamOptions),
    max_completion_tokens: integer('Upper bound on the tokens of the answer, reasoning included.'),
    max_tokens: optional(Type.Integer(), {
      description: 'The older name of `max_completion_tokens`.',
      deprecated: true,
    }),
    temperature: number('0 is steady, higher is freer. Most providers take 0 to 2, some 0 to 1.'),
    top_p: number('Only the likeliest tokens that make up this share of the probability.'),
    top_k: integer('Only this many of the likeliest tokens, with providers that know it.'),
    min_p: number('Only tokens at least this likely beside the likeliest, with providers that know it.'),
    frequency_penalty: number('-2 to 2.'),
    presence_penalty: number('-2 to 2.'),
    seed: integer('Makes answers more repeatable, with providers that know it.'),
    stop: optional(Type.Union([Type.String(), Type.Array(Type.String())]), {
      description: 'Up to 4 texts at which the answer ends.',
    }),
    n: integer('How many answers.'),
    logprobs: flag('Give the log probabilities of the tokens.'),
    top_logprobs: integer('How many alternatives for each token, 0 to 20.'),
    logit_bias: optional(Type.Record(Type.String(), Type.Number()), {
      description: 'Token ids and their bias, -100 to 100.',
    }),
    tools: optional(Type.Array(ChatTool)),
    tool_choice: optional(ChatToolChoice),
    parallel_tool_calls: flag('Whether several tools may be called in one answer.'),
    response_format: optional(ResponseFormat),
    reasoning_effort: text(
      '`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`; translated into a budget for providers that want one. Which of them a model takes is the provider’s to say.',
    ),
    reasoning: optional(
      open({
        effort: optional(Type.String()),
        max_tokens: optional(Type.Integer(), { description: 'Budget for reasoning in tokens.' }),
        exclude: optional(Type.Boolean(), { description: 'Reason, but leave the reasoning out of the answer.' }),
        enabled: optional(Type.Boolean()),
      }),
      { description: 'The same more exactly, in OpenRouter’s form.' },
    ),
    verbosity: text('`low`, `medium` or `high`.'),
    modalities: optional(Type.Array(Type.String()), { description: '`text`, `audio`.' }),
    audio: optional(anyObject(), { description: 'Voice and format of a spoken answer.' }),
    prediction: optional(anyObject(), { description: 'Text that much of the answer is expected to repeat.' }),
    web_search_options: optional(anyObject()),
    service_tier: text('`auto`, `default`, `flex` or `priority`, with providers that know it.'),
    prompt_cache_key: text('Requests with the same key are likelier to meet the same prompt cache.'),
    prompt_cache_retention: text('How long the provider keeps the prompt.'),
    safety_identifier: text('A stable name of the end user that tells nothing about them.'),
    user: optional(Type.String(), { description: 'The older name of `safety_identifier`.', deprecated: true }),
    metadata: optional(anyObject(), { description: 'Names and values that the provider keeps with the answer.' }),
    store: flag('Whether the provider may keep the answer.'),
    functions: optional(Type.Array(LegacyFunction), { description: 'The forerunner of `tools`.', deprecated: true }),
    function_call: optional(Type.Union([word(['none', 'auto']), open({ name: Type.String() })]), {
      description: 'The forerunner of `tool_choice`.',
      deprecated: true,
    }),
  },
  {
    $id: 'ChatCompletionRequest',
    description:
      'A request in the form of OpenAI Chat Completions. Members that are not named here are passed on to providers that speak this format. Where another provider has no word for a member, the answer’s header `postern-dropped` names it, or the request is refused when leaving it out would change its meaning.',
  },
)

export type ChatCompletionRequest = Static<typeof ChatCompletionRequest>
