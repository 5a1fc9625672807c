import { type Static, Type } from '@sinclair/typebox'
import { anyObject, CacheControl, open, optional, otherThan, word } from './open.ts'

/** Tools, the choice among them and the calls of them, as OpenAI Chat Completions writes them. */

const FunctionDefinition = open(
  {
    name: Type.String({
      minLength: 1,
      description:
        'Letters, digits, `_` and `-`, at most 64 for most providers; longer names are shortened for them and restored in the answer.',
    }),
    description: optional(Type.String()),
    parameters: optional(anyObject(), { description: 'JSON Schema of the arguments; left out means none.' }),
    strict: optional(Type.Boolean(), { description: 'Whether the arguments must keep to the schema exactly.' }),
  },
  { $id: 'FunctionDefinition' },
)

const FunctionTool = open(
  { type: Type.Literal('function'), function: FunctionDefinition, cache_control: optional(CacheControl) },
  { $id: 'FunctionTool' },
)

const CustomTool = open(
  {
    type: Type.Literal('custom'),
    custom: open({
      name: Type.String({ minLength: 1 }),
      description: optional(Type.String()),
      format: optional(anyObject(), { description: 'Text, or a grammar that the input must keep to.' }),
    }),
  },
  { $id: 'CustomTool', description: 'A tool whose input is free text. Only OpenAI knows it.' },
)

export const ChatTool = Type.Union([FunctionTool, CustomTool, otherThan(['function', 'custom'])], {
  $id: 'ChatTool',
  description:
    'A tool. Kinds other than these (a provider’s own search, for instance) are passed on to providers that speak OpenAI’s format; with any other provider they are refused with an error that names them.',
})

const named = Type.Object({ name: Type.String({ minLength: 1 }) }, { additionalProperties: true })
const NamedFunction = open({ type: Type.Literal('function'), function: named }, { $id: 'NamedFunctionChoice' })
const NamedCustom = open({ type: Type.Literal('custom'), custom: named }, { $id: 'NamedCustomChoice' })
const AllowedTools = open(
  {
    type: Type.Literal('allowed_tools'),
    allowed_tools: open({
      mode: word(['auto', 'required']),
      tools: Type.Array(anyObject(), {
        description: 'The tools that may be used, each as `{"type":"function","function":{"name":…}}`.',
      }),
    }),
  },
  { $id: 'AllowedToolsChoice' },
)

export const ChatToolChoice = Type.Union(
  [
    word(['none', 'auto', 'required', 'any']),
    NamedFunction,
    NamedCustom,
    AllowedTools,
    otherThan(['function', 'custom', 'allowed_tools']),
  ],
  {
    $id: 'ChatToolChoice',
    description: 'Whether and which tools may be called. `any` is Mistral’s word for `required`.',
    examples: ['auto', { type: 'function', function: { name: 'get_weather' } }],
  },
)

const FunctionCall = open(
  {
    id: Type.String({ description: 'Comes back in `tool_call_id` of the message that answers the call.' }),
    type: Type.Literal('function'),
    function: open({
      name: Type.String(),
      arguments: Type.String({ description: 'JSON as the model wrote it. It may be cut short, when the answer was.' }),
    }),
    extra_content: optional(anyObject(), {
      description:
        'What the provider needs back with the call, such as Gemini’s `google.thought_signature`. Send it back unchanged.',
    }),
  },
  { $id: 'FunctionToolCall' },
)

const CustomCall = open(
  { id: Type.String(), type: Type.Literal('custom'), custom: open({ name: Type.String(), input: Type.String() }) },
  { $id: 'CustomToolCall' },
)

/** A call as an answer holds it and as the next request sends it back. */
export const ChatToolCall = Type.Union([FunctionCall, CustomCall, otherThan(['function', 'custom'])], {
  $id: 'ChatToolCall',
})

export const ChatToolCallDelta = open(
  {
    index: Type.Integer({ minimum: 0, description: 'Which call of the choice this belongs to, counted from 0.' }),
    id: optional(Type.String(), { description: 'In the first piece of a call.' }),
    type: optional(Type.String(), { description: '`function`, in the first piece of a call.' }),
    function: Type.Optional(
      open({
        name: optional(Type.String(), { description: 'In the first piece of a call.' }),
        arguments: optional(Type.String(), { description: 'The next piece of the arguments: append it.' }),
      }),
    ),
    extra_content: optional(anyObject()),
  },
  { $id: 'ChatToolCallDelta', description: 'A piece of a tool call.' },
)

/** Names of the schemas in messages for `functions`, the forerunner of `tools`. */
export const LegacyFunction = FunctionDefinition
export const LegacyFunctionCall = open({ name: Type.String(), arguments: Type.String() }, { $id: 'LegacyFunctionCall' })

export type ChatTool = Static<typeof ChatTool>
export type ChatToolCall = Static<typeof ChatToolCall>
