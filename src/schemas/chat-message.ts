import { type Static, Type } from '@sinclair/typebox'
import { ChatToolCall, LegacyFunctionCall } from './chat-tools.ts'
import { anyObject, CacheControl, open, optional, otherThan } from './open.ts'

/** The messages of a request by role, and what their content may be made of. */

const cache_control = optional(CacheControl)

const TextPart = open({ type: Type.Literal('text'), text: Type.String(), cache_control }, { $id: 'TextPart' })

const ImagePart = open(
  {
    type: Type.Literal('image_url'),
    image_url: Type.Union([
      open({
        url: Type.String({ description: 'An `https:` address or a `data:` URL.' }),
        detail: optional(Type.String({ description: '`auto`, `low` or `high`.' })),
      }),
      Type.String({ description: 'The address alone.' }),
    ]),
    cache_control,
  },
  { $id: 'ImagePart' },
)

const AudioPart = open(
  {
    type: Type.Literal('input_audio'),
    input_audio: open({
      data: Type.String({ description: 'Base64, without a `data:` prefix.' }),
      format: Type.String({ description: '`wav`, `mp3`, …' }),
    }),
    cache_control,
  },
  { $id: 'AudioPart' },
)

const FilePart = open(
  {
    type: Type.Literal('file'),
    file: open({
      file_id: optional(Type.String({ description: 'A file uploaded to the provider.' })),
      file_data: optional(Type.String({ description: 'The file as a `data:` URL.' })),
      filename: optional(Type.String()),
    }),
    cache_control,
  },
  { $id: 'FilePart' },
)

const RefusalPart = open({ type: Type.Literal('refusal'), refusal: Type.String() }, { $id: 'RefusalPart' })

export const ContentPart = Type.Union(
  [
    TextPart,
    ImagePart,
    AudioPart,
    FilePart,
    RefusalPart,
    otherThan(['text', 'image_url', 'input_audio', 'file', 'refusal']),
  ],
  {
    $id: 'ContentPart',
    description:
      'A piece of a message. Kinds other than these are passed on to providers that speak OpenAI’s format; with any other provider they are refused with an error that names them.',
  },
)

const Content = Type.Union([Type.String(), Type.Array(ContentPart), Type.Null()])

export const ReasoningDetail = open(
  {
    type: Type.String({ description: '`reasoning.text`, `reasoning.summary` or `reasoning.encrypted`.' }),
    text: optional(Type.String()),
    summary: optional(Type.String()),
    data: optional(Type.String(), { description: 'Encrypted reasoning.' }),
    signature: optional(Type.String(), { description: 'The provider’s proof that the text is its own.' }),
    format: optional(Type.String(), { description: 'Which provider’s form it has.' }),
    id: optional(Type.String()),
    index: optional(Type.Integer()),
  },
  {
    $id: 'ReasoningDetail',
    description:
      'A piece of the model’s reasoning. Send the list back unchanged with the assistant’s message: providers check it.',
  },
)

const name = optional(Type.String(), { description: 'Tells participants of one role apart.' })

// `role` stands first in each: a compiled union tries its members in order, and this lets the wrong ones fail at once.
const plain = <const Role extends string>(role: Role, $id: string, description: string) =>
  open({ role: Type.Literal(role), content: Content, name, cache_control }, { $id, description })

const SystemMessage = plain('system', 'SystemMessage', 'Instructions to the model.')
const DeveloperMessage = plain(
  'developer',
  'DeveloperMessage',
  'The name that newer OpenAI models have for a system message.',
)
const UserMessage = plain('user', 'UserMessage', 'What the user says.')

const AssistantMessage = open(
  {
    role: Type.Literal('assistant'),
    content: Type.Optional(Content),
    name,
    refusal: optional(Type.String()),
    tool_calls: optional(Type.Array(ChatToolCall)),
    reasoning_content: optional(Type.String(), {
      description: 'The reasoning as text, for providers that want it back.',
    }),
    reasoning_details: optional(Type.Array(ReasoningDetail)),
    extra_content: optional(anyObject()),
    audio: optional(open({ id: Type.String() }), { description: 'An earlier spoken answer.' }),
    function_call: optional(LegacyFunctionCall, { deprecated: true }),
    cache_control,
  },
  { $id: 'AssistantMessage', description: 'An earlier answer of the model, with its calls of tools.' },
)

const ToolMessage = open(
  {
    role: Type.Literal('tool'),
    tool_call_id: Type.String({ minLength: 1, description: 'The call that this answers.' }),
    content: Type.Optional(Content),
    name,
    cache_control,
  },
  { $id: 'ToolMessage', description: 'What a tool gave back.' },
)

const FunctionMessage = open(
  { role: Type.Literal('function'), name: Type.String({ minLength: 1 }), content: Type.Optional(Content) },
  { $id: 'FunctionMessage', description: 'The forerunner of a tool message.', deprecated: true },
)

export const ChatMessage = Type.Union(
  [SystemMessage, DeveloperMessage, UserMessage, AssistantMessage, ToolMessage, FunctionMessage],
  { $id: 'ChatMessage', description: 'A message of the conversation so far; `role` decides its form.' },
)

export type ChatMessage = Static<typeof ChatMessage>
