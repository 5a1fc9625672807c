import { aws, awsKeys } from './auth/aws.ts'
import { BEDROCK_RUNTIME, bedrockNative } from './native/aws-bedrock.ts'
import { provider } from './provider.ts'

export const awsBedrock = provider({
  slug: 'aws-bedrock',
  title: 'Amazon Bedrock',
  aliases: ['bedrock'],
  base: BEDROCK_RUNTIME,
  // Model ids and ARNs hold `:` and `/`, which must not read as parts of the path (T60).
  endpoint: ({ model, stream }) => ({
    dialect: 'bedrock-converse',
    path: `model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}`,
  }),
  auth: aws,
  // The second for what speaks as Anthropic does.
  keyIn: ['authorization', 'x-api-key'],
  native: bedrockNative,
  placeIn: credential => ({ region: awsKeys(credential)?.region }),
  defaultRegion: 'us-east-1',
  variable: 'AWS_BEARER_TOKEN_BEDROCK',
  priced: 'aws',
})
